-- Verify notification-service:retention on pg
BEGIN;

SELECT retention_clock FROM maintainer WHERE FALSE;

SELECT 1 / (count(*) = 4)::int FROM pg_proc
WHERE prosecdef AND oid IN ('retention_begin(timestamp)'::regprocedure,
                            'retention_next(text, timestamp, interval)'::regprocedure,
                            'retention_drop(text, text)'::regprocedure,
                            'schema_has(text)'::regprocedure);

SELECT 1 / schema_has('partitions')::int;

ROLLBACK;
