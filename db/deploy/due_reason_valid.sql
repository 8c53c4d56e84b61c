-- Deploy notification-service:due_reason_valid to pg
-- Reads the table once; writers go on meanwhile. A transaction of its own: within the one that made
-- the check it would run under that one's lock.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE due VALIDATE CONSTRAINT due_reason_check;

COMMIT;
