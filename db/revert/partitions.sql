-- Revert notification-service:partitions from pg
-- Keeps the partitions and their rows: they belong to their tables. Nothing makes new ones afterwards.

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP VIEW partition_ranges;
DROP FUNCTION ensure_partitions_for(timestamp);
DROP FUNCTION ensure_partitions(date, integer);
DROP FUNCTION ensure_partition(text, timestamp);

COMMIT;
