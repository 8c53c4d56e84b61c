-- Revert notification-service:audit_log from pg
-- LOSES DATA: drops the audit, all of its partitions. Think of the law first.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM audit_log) THEN
        RAISE WARNING 'audit_log is dropped with the rows it holds';
    END IF;
END
$$;
DROP TABLE audit_log;

COMMIT;
