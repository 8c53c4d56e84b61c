-- Revert notification-service:uuid_v7 from pg
BEGIN;
SET LOCAL lock_timeout = '2s';

DROP FUNCTION uuid_v7_instant(uuid);
DROP FUNCTION uuid_v7_lower_bound(timestamptz);
DROP FUNCTION uuid_generate_v7(timestamptz);

COMMIT;
