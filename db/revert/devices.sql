-- Revert notification-service:devices from pg
-- LOSES DATA: drops the replica. auth-service still holds the truth: synchronise again.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM devices) THEN
        RAISE WARNING 'devices is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE devices;

COMMIT;
