-- Deploy notification-service:database_timezone to pg
-- TIMESTAMP columns hold UTC. The service pins TimeZone on its own connections; this does
-- the same for people's psql sessions and for tools, whose NOW() defaults would otherwise
-- be in the server's local time. Needs the owner of the database. Sessions already open
-- keep their setting.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET timezone TO %L', current_database(), 'UTC');
END
$$;

COMMIT;
