-- Revert notification-service:notification_templates from pg
-- LOSES DATA: drops every template, those people wrote too.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM notification_templates) THEN
        RAISE WARNING 'notification_templates is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE notification_templates;

COMMIT;
