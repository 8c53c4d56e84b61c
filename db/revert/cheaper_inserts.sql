-- Revert notification-service:cheaper_inserts from pg

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP INDEX idx_notification_history_labels;
CREATE INDEX idx_notification_history_labels ON notification_history
    USING gin ((metadata -> 'labels') jsonb_path_ops);

ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (created_at, notification_id);
COMMENT ON CONSTRAINT idempotency_keys_pkey ON idempotency_keys IS
    'Begins with created_at: inserts touch the right edge only, and cost next to nothing.';

COMMIT;
