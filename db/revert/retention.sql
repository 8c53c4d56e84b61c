-- Revert notification-service:retention from pg

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP FUNCTION schema_has(text);
DROP FUNCTION retention_drop(text, text);
DROP FUNCTION retention_next(text, timestamp, interval);
DROP FUNCTION retention_mark(text);
DROP FUNCTION retention_begin(timestamp);
ALTER TABLE maintainer DROP COLUMN retention_clock;

COMMIT;
