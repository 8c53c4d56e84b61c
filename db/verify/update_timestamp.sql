-- Verify notification-service:update_timestamp on pg
BEGIN;

SELECT 1 / (count(*) = 2)::int FROM pg_proc
WHERE oid IN ('update_timestamp()'::regprocedure, 'update_timestamp_and_revision()'::regprocedure)
  AND prorettype = 'trigger'::regtype;

ROLLBACK;
