-- Revert notification-service:conversation_settings from pg
-- LOSES DATA: drops every user's settings for their conversations, mutes included.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM conversation_settings) THEN
        RAISE WARNING 'conversation_settings is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE conversation_settings;

COMMIT;
