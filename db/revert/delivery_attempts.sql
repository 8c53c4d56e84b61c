-- Revert notification-service:delivery_attempts from pg
-- LOSES DATA: drops the record of every try, all of its partitions.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM delivery_attempts) THEN
        RAISE WARNING 'delivery_attempts is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE delivery_attempts;

COMMIT;
