-- Revert notification-service:device_sync from pg
-- LOSES DATA: drops the markers: every user then counts as never synchronised.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM device_sync) THEN
        RAISE WARNING 'device_sync is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE device_sync;

COMMIT;
