-- Revert notification-service:notification_history from pg
-- LOSES DATA: drops the whole history, all of its partitions.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM notification_history) THEN
        RAISE WARNING 'notification_history is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE notification_history;

COMMIT;
