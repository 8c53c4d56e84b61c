-- Verify notification-service:user_settings on pg
BEGIN;

SELECT id, user_id, notifications_enabled, sound_enabled, vibration_enabled,
       notification_sound, quiet_hours, preferences, created_at, updated_at,
       revision
FROM user_settings WHERE FALSE;

SELECT 1 / (count(*) = 5)::int FROM pg_index
WHERE indrelid = 'user_settings'::regclass AND indisvalid AND indexrelid IN (
    'user_settings_pkey'::regclass,
    'user_settings_user_id_key'::regclass,
    'idx_user_settings_user_id'::regclass,
    'idx_user_settings_notifications_enabled'::regclass,
    'idx_user_settings_updated_at'::regclass);

SELECT 1 / (count(*) = 1)::int FROM pg_trigger
WHERE tgrelid = 'user_settings'::regclass AND tgenabled = 'O' AND tgname IN ('update_user_settings_timestamp');

ROLLBACK;
