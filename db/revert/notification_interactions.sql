-- Revert notification-service:notification_interactions from pg
-- LOSES DATA: drops every receipt, all of its partitions.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM notification_interactions) THEN
        RAISE WARNING 'notification_interactions is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE notification_interactions;

COMMIT;
