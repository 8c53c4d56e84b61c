-- Revert notification-service:cheaper_inserts from pg
-- Builds both indexes again as the deploy script does: partition by partition, concurrently, and with
-- no transaction that locks two tables.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF to_regclass('idx_notification_history_labels_few') IS NULL THEN
        ALTER INDEX idx_notification_history_labels RENAME TO idx_notification_history_labels_few;
        CREATE INDEX idx_notification_history_labels ON ONLY notification_history
            USING gin ((metadata -> 'labels') jsonb_path_ops);
    END IF;
END
$$;

COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF to_regclass('idempotency_keys_pkey') IS NULL THEN
        ALTER TABLE ONLY idempotency_keys
            ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (created_at, notification_id);
        COMMENT ON CONSTRAINT idempotency_keys_pkey ON idempotency_keys IS
            'Begins with created_at: inserts touch the right edge only, and cost next to nothing.';
    END IF;
END
$$;

COMMIT;

-- Drops the indexes that an earlier run left half built.
SELECT format('DROP INDEX CONCURRENTLY %s', i.indexrelid::regclass)
FROM pg_inherits p JOIN pg_index i ON i.indrelid = p.inhrelid JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relname IN ('labels_of_' || p.inhrelid || '_all', 'key_of_' || p.inhrelid) AND NOT i.indisvalid
\gexec

SELECT format('CREATE INDEX CONCURRENTLY IF NOT EXISTS %I ON %s USING gin ((metadata -> ''labels'') jsonb_path_ops)',
              'labels_of_' || inhrelid || '_all', inhrelid::regclass)
FROM pg_inherits p WHERE inhparent = 'notification_history'::regclass AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_inherits ip ON ip.inhrelid = i.indexrelid
    WHERE i.indrelid = p.inhrelid AND ip.inhparent = 'idx_notification_history_labels'::regclass)
\gexec

SELECT format('CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS %I ON %s (created_at, notification_id)',
              'key_of_' || inhrelid, inhrelid::regclass)
FROM pg_inherits p WHERE inhparent = 'idempotency_keys'::regclass AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_inherits ip ON ip.inhrelid = i.indexrelid
    WHERE i.indrelid = p.inhrelid AND ip.inhparent = 'idempotency_keys_pkey'::regclass)
\gexec

BEGIN;
SET LOCAL lock_timeout = '2s';

SELECT format('ALTER INDEX idx_notification_history_labels ATTACH PARTITION %I', 'labels_of_' || inhrelid || '_all')
FROM pg_inherits WHERE inhparent = 'notification_history'::regclass
  AND to_regclass('labels_of_' || inhrelid || '_all') IS NOT NULL
\gexec

COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';

-- A key of the parent takes only keys of partitions. Here each becomes one, by its finished index.
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I PRIMARY KEY USING INDEX %I', inhrelid::regclass,
              'key_of_' || inhrelid, 'key_of_' || inhrelid),
       format('ALTER INDEX idempotency_keys_pkey ATTACH PARTITION %I', 'key_of_' || inhrelid)
FROM pg_inherits WHERE inhparent = 'idempotency_keys'::regclass AND to_regclass('key_of_' || inhrelid) IS NOT NULL
\gexec

COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP INDEX idx_notification_history_labels_few;

COMMIT;
