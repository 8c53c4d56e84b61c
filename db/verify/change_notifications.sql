-- Verify notification-service:change_notifications on pg
BEGIN;

SELECT 1 / (count(*) = 2)::int FROM pg_trigger
WHERE tgrelid = 'user_settings'::regclass AND tgenabled = 'O' AND tgname IN ('notify_user_settings_change', 'notify_user_settings_truncate');

SELECT 1 / (count(*) = 2)::int FROM pg_trigger
WHERE tgrelid = 'conversation_settings'::regclass AND tgenabled = 'O' AND tgname IN ('notify_conversation_settings_change', 'notify_conversation_settings_truncate');

SELECT 1 / (count(*) = 3)::int FROM pg_trigger
WHERE tgrelid = 'devices'::regclass AND tgenabled = 'O' AND tgname IN ('notify_devices_change', 'notify_devices_update', 'notify_devices_truncate');

SELECT 1 / (count(*) = 1)::int FROM pg_trigger
WHERE tgrelid = 'notification_templates'::regclass AND tgenabled = 'O' AND tgname IN ('notify_notification_templates_change');

ROLLBACK;
