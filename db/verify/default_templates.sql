-- Verify notification-service:default_templates on pg
BEGIN;

SELECT 1 / (count(*) = 4)::int FROM notification_templates
WHERE template_name IN ('new_message', 'group_message', 'group_invitation', 'mention')
  AND template_data ? 'title' AND template_data ? 'body';

ROLLBACK;
