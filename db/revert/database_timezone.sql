-- Revert notification-service:database_timezone from pg
BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I RESET timezone', current_database());
END
$$;

COMMIT;
