-- Verify notification-service:devices on pg
BEGIN;

SELECT id, user_id, platform, token, device_id, metadata, is_active, last_seen,
       registered_at, updated_at, token_fingerprint, source_version, deleted_at
FROM devices WHERE FALSE;

SELECT 1 / (count(*) = 6)::int FROM pg_index
WHERE indrelid = 'devices'::regclass AND indisvalid AND indexrelid IN (
    'devices_pkey'::regclass,
    'devices_device_id_key'::regclass,
    'idx_devices_user_id'::regclass,
    'idx_devices_active'::regclass,
    'idx_devices_token_fingerprint'::regclass,
    'idx_devices_updated_at'::regclass);

SELECT 1 / (count(*) = 2)::int FROM pg_constraint
WHERE conrelid = 'devices'::regclass AND convalidated AND conname IN ('devices_platform_check', 'devices_deleted_is_inactive');

SELECT 1 / (count(*) = 1)::int FROM pg_trigger
WHERE tgrelid = 'devices'::regclass AND tgenabled = 'O' AND tgname IN ('update_devices_timestamp');

ROLLBACK;
