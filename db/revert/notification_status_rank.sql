-- Revert notification-service:notification_status_rank from pg
BEGIN;
SET LOCAL lock_timeout = '2s';

DROP FUNCTION notification_status_rank(text);

COMMIT;
