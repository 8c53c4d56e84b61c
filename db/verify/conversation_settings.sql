-- Verify notification-service:conversation_settings on pg
BEGIN;

SELECT id, user_id, conversation_id, notifications_enabled, sound_enabled,
       notification_level, muted_until, custom_settings, created_at, updated_at,
       revision
FROM conversation_settings WHERE FALSE;

SELECT 1 / (count(*) = 5)::int FROM pg_index
WHERE indrelid = 'conversation_settings'::regclass AND indisvalid AND indexrelid IN (
    'conversation_settings_pkey'::regclass,
    'conversation_settings_user_id_conversation_id_key'::regclass,
    'idx_conversation_settings_user_id'::regclass,
    'idx_conversation_settings_muted_until'::regclass,
    'idx_conversation_settings_updated_at'::regclass);

SELECT 1 / (count(*) = 1)::int FROM pg_trigger
WHERE tgrelid = 'conversation_settings'::regclass AND tgenabled = 'O' AND tgname IN ('update_conversation_settings_timestamp');

ROLLBACK;
