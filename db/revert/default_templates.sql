-- Revert notification-service:default_templates from pg
-- LOSES DATA: deletes the four default templates, edited or not. Templates of other names stay.

BEGIN;
SET LOCAL lock_timeout = '2s';

DELETE FROM notification_templates
WHERE template_name IN ('new_message', 'group_message', 'group_invitation', 'mention');

COMMIT;
