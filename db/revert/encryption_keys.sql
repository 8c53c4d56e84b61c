-- Revert notification-service:encryption_keys from pg
-- LOSES DATA: drops which key versions there are and when each may be used. The keys themselves are elsewhere; note the versions down first.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM encryption_keys) THEN
        RAISE WARNING 'encryption_keys is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE encryption_keys;

COMMIT;
