-- Deploy notification-service:extensions to pg
-- uuid-ossp gives the default ids of the small tables, pgcrypto digests for ad-hoc queries.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "pgcrypto";

COMMIT;
