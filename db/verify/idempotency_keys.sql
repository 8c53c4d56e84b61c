-- Verify notification-service:idempotency_keys on pg
BEGIN;

SELECT caller, key_hash, request_hash, explicit, notification_id, created_at
FROM idempotency_keys WHERE FALSE;

SELECT 1 / count(*) FROM pg_partitioned_table
WHERE partrelid = 'idempotency_keys'::regclass AND partstrat = 'r' AND partdefid = 0
  AND pg_get_partkeydef(partrelid) = 'RANGE (created_at)';

ROLLBACK;
