-- Revert notification-service:due from pg
-- LOSES DATA: drops what waits: those notifications stay in notification_history as they are, and nothing sends them.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM due) THEN
        RAISE WARNING 'due is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE due;

COMMIT;
