-- Revert notification-service:change_notifications from pg
BEGIN;
SET LOCAL lock_timeout = '2s';

DROP TRIGGER notify_notification_templates_change ON notification_templates;
DROP TRIGGER notify_devices_truncate ON devices;
DROP TRIGGER notify_devices_update ON devices;
DROP TRIGGER notify_devices_change ON devices;
DROP TRIGGER notify_conversation_settings_truncate ON conversation_settings;
DROP TRIGGER notify_conversation_settings_change ON conversation_settings;
DROP TRIGGER notify_user_settings_truncate ON user_settings;
DROP TRIGGER notify_user_settings_change ON user_settings;
DROP FUNCTION notify_change();

COMMIT;
