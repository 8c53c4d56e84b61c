-- Verify notification-service:notification_templates on pg
BEGIN;

SELECT id, template_name, notification_type, template_data, is_active, created_at,
       updated_at, revision
FROM notification_templates WHERE FALSE;

SELECT 1 / (count(*) = 3)::int FROM pg_index
WHERE indrelid = 'notification_templates'::regclass AND indisvalid AND indexrelid IN (
    'notification_templates_pkey'::regclass,
    'notification_templates_template_name_key'::regclass,
    'idx_notification_templates_notification_type'::regclass);

SELECT 1 / (count(*) = 1)::int FROM pg_trigger
WHERE tgrelid = 'notification_templates'::regclass AND tgenabled = 'O' AND tgname IN ('update_notification_templates_timestamp');

ROLLBACK;
