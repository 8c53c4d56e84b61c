-- Revert notification-service:extensions from pg
-- No CASCADE: fails, and rightly, if anything else in the database still uses them.

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP EXTENSION "pgcrypto";
DROP EXTENSION "uuid-ossp";

COMMIT;
