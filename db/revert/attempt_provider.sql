-- Revert notification-service:attempt_provider from pg
-- LOSES DATA: drops what tells which provider an attempt went to.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE delivery_attempts DROP COLUMN provider;

COMMIT;
