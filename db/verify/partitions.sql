-- Verify notification-service:partitions on pg
BEGIN;

SELECT 1 / (count(*) = 3)::int FROM pg_proc
WHERE oid IN ('ensure_partition(text, timestamp)'::regprocedure,
              'ensure_partitions(date, integer)'::regprocedure,
              'ensure_partitions_for(timestamp)'::regprocedure);
SELECT 1 / prosecdef::int FROM pg_proc WHERE oid = 'ensure_partition(text, timestamp)'::regprocedure;

-- Every table can take a row of this instant. (How far ahead the partitions reach is for the alarm, not for
-- a verification that is run at any time.)
SELECT 1 / (count(DISTINCT parent) = 5)::int FROM partition_ranges
WHERE now() AT TIME ZONE 'UTC' >= lower_at AND now() AT TIME ZONE 'UTC' < upper_at AND NOT detach_pending;

SELECT 1 / (count(*) = 0)::int FROM pg_partitioned_table
WHERE partdefid <> 0 AND partrelid::regclass::text IN (SELECT DISTINCT parent FROM partition_ranges);
SELECT 1 / (count(*) = 0)::int FROM partition_ranges r JOIN pg_class c ON c.oid = r.partition::regclass
WHERE r.parent = 'notification_history' AND NOT coalesce('fillfactor=50' = ANY (c.reloptions), FALSE);
-- A day without its unique index would let a request be accepted twice.
SELECT 1 / (count(*) = 0)::int FROM partition_ranges r
WHERE r.parent = 'idempotency_keys' AND NOT EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = r.partition::regclass AND i.indisunique AND i.indisvalid
      AND pg_get_indexdef(i.indexrelid) LIKE '%(caller, key_hash)');

ROLLBACK;
