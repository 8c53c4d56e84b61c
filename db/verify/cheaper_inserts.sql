-- Verify notification-service:cheaper_inserts on pg
BEGIN;

SELECT 1 / (count(*) = 0)::int FROM pg_constraint
WHERE conrelid = 'idempotency_keys'::regclass AND contype = 'p';

SELECT 1 / (count(*) = 1)::int FROM pg_index
WHERE indexrelid = 'idx_notification_history_labels'::regclass AND indisvalid AND indpred IS NOT NULL;

ROLLBACK;
