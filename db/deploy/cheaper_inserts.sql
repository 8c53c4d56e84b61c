-- Deploy notification-service:cheaper_inserts to pg
-- Removes two indexes that each insert paid for and that no statement used.
--
-- The primary key of idempotency_keys named no request: created_at differs between two of one key.
-- The index of each day on (caller, key_hash) makes a key unique.
--
-- The index on labels had an entry for each notification, also for those without labels. The new
-- one has entries for labels only. A search now also says "metadata ? 'labels'".
--
-- Writers go on while the new index is built: partition by partition, concurrently. That needs
-- transactions of its own, so each step can be run again after a failure. No transaction locks two
-- tables: a writer that has one of them and wants the other one would wait for this one, and this
-- one for it.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE idempotency_keys DROP CONSTRAINT IF EXISTS idempotency_keys_pkey;

COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';

-- On the parent only: a catalogue entry. Partitions made from now on get the index at once.
DO $$
BEGIN
    IF to_regclass('idx_notification_history_labels_all') IS NULL THEN
        ALTER INDEX idx_notification_history_labels RENAME TO idx_notification_history_labels_all;
        CREATE INDEX idx_notification_history_labels ON ONLY notification_history
            USING gin ((metadata -> 'labels') jsonb_path_ops) WHERE metadata ? 'labels';
    END IF;
END
$$;

COMMIT;

-- Drops the indexes that an earlier run left half built.
SELECT format('DROP INDEX CONCURRENTLY %s', i.indexrelid::regclass)
FROM pg_inherits p JOIN pg_index i ON i.indrelid = p.inhrelid JOIN pg_class c ON c.oid = i.indexrelid
WHERE p.inhparent = 'notification_history'::regclass AND c.relname = 'labels_of_' || p.inhrelid AND NOT i.indisvalid
\gexec

SELECT format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON %s USING gin ((metadata -> ''labels'') jsonb_path_ops)'
              ' WHERE metadata ? ''labels''', 'labels_of_' || inhrelid, inhrelid::regclass)
FROM pg_inherits p WHERE inhparent = 'notification_history'::regclass AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_inherits ip ON ip.inhrelid = i.indexrelid
    WHERE i.indrelid = p.inhrelid AND ip.inhparent = 'idx_notification_history_labels'::regclass)
\gexec

BEGIN;
SET LOCAL lock_timeout = '2s';

-- With the last partition's index the parent's becomes valid.
SELECT format('ALTER INDEX idx_notification_history_labels ATTACH PARTITION %I', 'labels_of_' || inhrelid)
FROM pg_inherits WHERE inhparent = 'notification_history'::regclass
  AND to_regclass('labels_of_' || inhrelid) IS NOT NULL
\gexec

COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP INDEX idx_notification_history_labels_all;

COMMIT;
