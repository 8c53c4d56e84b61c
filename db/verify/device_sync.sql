-- Verify notification-service:device_sync on pg
BEGIN;

SELECT user_id, synced_at, version, device_count
FROM device_sync WHERE FALSE;

SELECT 1 / (count(*) = 2)::int FROM pg_index
WHERE indrelid = 'device_sync'::regclass AND indisvalid AND indexrelid IN (
    'device_sync_pkey'::regclass,
    'idx_device_sync_synced_at'::regclass);

ROLLBACK;
