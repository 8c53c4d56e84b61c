-- Revert notification-service:update_timestamp from pg
BEGIN;
SET LOCAL lock_timeout = '2s';

DROP FUNCTION update_timestamp_and_revision();
DROP FUNCTION update_timestamp();

COMMIT;
