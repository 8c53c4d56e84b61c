-- Verify notification-service:delivery_attempts on pg
BEGIN;

SELECT id, notification_id, device_id, status, error_code, error_message, response_data,
       retry_count, attempted_at, next_retry_at
FROM delivery_attempts WHERE FALSE;

SELECT 1 / count(*) FROM pg_partitioned_table
WHERE partrelid = 'delivery_attempts'::regclass AND partstrat = 'r' AND partdefid = 0
  AND pg_get_partkeydef(partrelid) = 'RANGE (id)';

SELECT 1 / (count(*) = 4)::int FROM pg_index
WHERE indrelid = 'delivery_attempts'::regclass AND indisvalid AND indexrelid IN (
    'delivery_attempts_pkey'::regclass,
    'idx_delivery_attempts_notification_id'::regclass,
    'idx_delivery_attempts_device_id'::regclass,
    'idx_delivery_attempts_next_retry_at'::regclass);

SELECT 1 / (count(*) = 1)::int FROM pg_constraint
WHERE conrelid = 'delivery_attempts'::regclass AND convalidated AND conname IN ('delivery_attempts_status_check');

SELECT 1 / (count(*) = 0)::int FROM pg_constraint WHERE conrelid = 'delivery_attempts'::regclass AND contype = 'f';

ROLLBACK;
