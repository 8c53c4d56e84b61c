-- Deploy notification-service:default_templates to pg
-- A template of the same name that is already there was put there by somebody: it stays.

BEGIN;
SET LOCAL lock_timeout = '2s';

SET LOCAL client_encoding = 'UTF8';

INSERT INTO notification_templates (template_name, notification_type, template_data) VALUES
('new_message', 'message', '{"title": "{{sender_name}}", "body": "{{message_preview}}", "sound": "default"}'),
('group_message', 'message', '{"title": "{{group_name}}", "body": "{{sender_name}}: {{message_preview}}", "sound": "default"}'),
('group_invitation', 'group', '{"title": "Nouvelle invitation", "body": "{{inviter_name}} vous a ajouté au groupe {{group_name}}", "sound": "default"}'),
('mention', 'message', '{"title": "{{sender_name}} vous a mentionné", "body": "{{message_preview}}", "sound": "mention"}')
ON CONFLICT (template_name) DO NOTHING;

COMMIT;
