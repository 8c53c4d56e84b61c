-- Revert notification-service:user_settings from pg
-- LOSES DATA: drops every user's settings.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM user_settings) THEN
        RAISE WARNING 'user_settings is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE user_settings;

COMMIT;
