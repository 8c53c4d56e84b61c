-- Revert notification-service:due_reason_valid from pg
-- There is no way to un-validate a check but to make it again.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE due DROP CONSTRAINT due_reason_check;
ALTER TABLE due ADD CONSTRAINT due_reason_check
    CHECK (reason IN ('retry', 'deferred', 'scheduled', 'devices_unavailable', 'replay')) NOT VALID;

COMMIT;
