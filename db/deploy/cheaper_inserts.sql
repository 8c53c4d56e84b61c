-- Deploy notification-service:cheaper_inserts to pg
-- Two indexes that every insert paid for and no statement used.
--
-- The primary key of idempotency_keys named no request (created_at differs between two of one key);
-- what makes a key unique is each day's own index on (caller, key_hash). A duplicate of it was
-- looked for at each insert all the same.
--
-- The index on labels held an entry for each notification without labels, too. A search now says
-- "metadata ? 'labels'" besides what it looks for.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey;

DROP INDEX idx_notification_history_labels;
CREATE INDEX idx_notification_history_labels ON notification_history
    USING gin ((metadata -> 'labels') jsonb_path_ops) WHERE metadata ? 'labels';

COMMIT;
