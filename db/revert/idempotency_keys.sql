-- Revert notification-service:idempotency_keys from pg
-- LOSES DATA: drops the memory of requests: one repeated after this is a new one.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM idempotency_keys) THEN
        RAISE WARNING 'idempotency_keys is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE idempotency_keys;

COMMIT;
