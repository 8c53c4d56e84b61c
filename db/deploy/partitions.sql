-- Deploy notification-service:partitions to pg
-- Partitions are made ahead by the elected maintainer and, if one is missing all the same, by
-- the writer that hits it (SQLSTATE 23514, "no partition of relation ... found").
--
-- CREATE TABLE ... PARTITION OF locks the parent ACCESS EXCLUSIVE: every writer and reader waits
-- behind it. Here the table is made on its own and then attached, which takes SHARE UPDATE
-- EXCLUSIVE on the parent: nobody waits but VACUUM, DETACH and another ATTACH. Its CHECK equals the
-- bounds, so that attaching looks at no row; then it is redundant and goes.
--
-- SECURITY DEFINER, with the path pinned: the role of the service need not own the tables.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE FUNCTION ensure_partition(parent text, instant timestamp) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
    by_day CONSTANT boolean := parent = 'idempotency_keys';
    key CONSTANT text := CASE WHEN parent IN ('notification_history', 'idempotency_keys')
                              THEN 'created_at' ELSE 'id' END;
    lower_at CONSTANT timestamp := date_trunc(CASE WHEN by_day THEN 'day' ELSE 'month' END, instant);
    upper_at CONSTANT timestamp := lower_at + CASE WHEN by_day THEN interval '1 day' ELSE interval '1 month' END;
    name CONSTANT text := parent || to_char(lower_at, CASE WHEN by_day THEN '_YYYY_MM_DD' ELSE '_YYYY_MM' END);
    settings text;
    lower_bound text;
    upper_bound text;
BEGIN
    IF parent IS NULL OR parent NOT IN ('notification_history', 'delivery_attempts', 'notification_interactions',
                                        'audit_log', 'idempotency_keys') THEN
        RAISE EXCEPTION '% is not a partitioned table of this service', parent
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Milliseconds taken for seconds, a clock at 1970: better no partition than one for that.
    IF instant IS NULL OR abs(extract(epoch FROM instant - now() AT TIME ZONE 'UTC')) > 5 * 366 * 86400 THEN
        RAISE EXCEPTION 'no partition of % for %: over five years from now', parent, instant
            USING ERRCODE = 'datetime_field_overflow';
    END IF;

    -- One caller at a time. The advisory lock alone would not do: this session would go on believing
    -- its cached "no such table" while the caller before it was making it. Taking a lock on a
    -- table brings the cache up to date, whatever snapshot the transaction has; it is the one that
    -- ATTACH takes below. The advisory lock keeps callers from taking these in different orders.
    IF to_regclass(name) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('notification-service partitions', 0));
        EXECUTE format('LOCK TABLE %I IN SHARE UPDATE EXCLUSIVE MODE', parent);
    END IF;
    IF to_regclass(name) IS NOT NULL THEN
        IF pg_partition_root(to_regclass(name)) IS DISTINCT FROM to_regclass(parent) THEN
            RAISE EXCEPTION 'table % is in the way: it is not a partition of %', name, parent
                USING ERRCODE = 'duplicate_table', HINT = 'Detached and not dropped yet? Drop or attach it.';
        END IF;
        RETURN FALSE;
    END IF;

    settings := CASE parent
        -- Room for the one update of each row to stay on its page (HOT), at 50 % in 95 of 100
        -- cases. Vacuum and analyze at 5 and 2 % rather than 20 and 10: a partition grows to
        -- tens of millions of rows, and a month that has just begun must not be planned as empty.
        WHEN 'notification_history' THEN
            'fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05,'
            ' autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02'
        -- Gone in two days, never updated: vacuuming it is wasted. Analyze stays on.
        WHEN 'idempotency_keys' THEN
            'autovacuum_vacuum_insert_threshold = -1'
        -- Never updated: freeze at the first visit, so that no later vacuum reads these pages again.
        ELSE
            'autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05,'
            ' autovacuum_analyze_scale_factor = 0.02'
    END;
    IF key = 'id' THEN
        lower_bound := uuid_v7_lower_bound(lower_at AT TIME ZONE 'UTC');
        upper_bound := uuid_v7_lower_bound(upper_at AT TIME ZONE 'UTC');
    ELSE
        lower_bound := lower_at;
        upper_bound := upper_at;
    END IF;

    EXECUTE format(
        'CREATE TABLE %1$I (LIKE %2$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION,'
        ' CONSTRAINT partition_bounds CHECK (%3$I >= %4$L AND %3$I < %5$L)) WITH (%6$s)',
        name, parent, key, lower_bound, upper_bound, settings);
    IF parent = 'idempotency_keys' THEN
        -- What makes a key unique; why not on the parent: see the change "idempotency_keys".
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (caller, key_hash)', name || '_caller_key_hash_key', name);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   parent, name, lower_bound, upper_bound);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT partition_bounds', name);
    RETURN TRUE;
END;
$$;
COMMENT ON FUNCTION ensure_partition(text, timestamp) IS
    'Makes the partition of one table that holds this instant (UTC), unless it is there. True if it made it.';

CREATE FUNCTION ensure_partitions(from_month date, months integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    first_at CONSTANT timestamp := date_trunc('month', from_month);
    end_at CONSTANT timestamp := first_at + make_interval(months => months);
    today CONSTANT timestamp := date_trunc('day', now() AT TIME ZONE 'UTC');
    parent text;
    instant timestamp;
    made integer := 0;
BEGIN
    IF from_month IS NULL OR months IS NULL OR months NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'ensure_partitions(%, %): wants a month and 0 to 60 months', from_month, months
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOREACH parent IN ARRAY ARRAY['notification_history', 'delivery_attempts', 'notification_interactions', 'audit_log'] LOOP
        FOR instant IN SELECT generate_series(first_at, end_at - interval '1 day', interval '1 month') LOOP
            made := made + ensure_partition(parent, instant)::integer;
        END LOOP;
    END LOOP;
    -- Keys live 24 hours. A day partition for each day of three months would be a hundred empty
    -- tables for nothing: those from yesterday (clocks differ at midnight) to two weeks ahead.
    FOR instant IN SELECT generate_series(greatest(first_at - interval '1 day', today - interval '1 day'),
                                          least(end_at - interval '1 day', today + interval '14 days'),
                                          interval '1 day') LOOP
        made := made + ensure_partition('idempotency_keys', instant)::integer;
    END LOOP;
    RETURN made;
END;
$$;
COMMENT ON FUNCTION ensure_partitions(date, integer) IS
    'Makes what is missing of the monthly partitions of so many months from this one on, and of the day '
    'partitions of idempotency_keys that fall into them, from yesterday to two weeks ahead. Returns how many '
    'it made. May be called by several at once.';

CREATE FUNCTION ensure_partitions_for(instant timestamp) RETURNS integer
LANGUAGE sql AS $$
    SELECT sum(ensure_partition(parent, instant)::integer)::integer
    FROM unnest(ARRAY['notification_history', 'delivery_attempts', 'notification_interactions', 'audit_log',
                      'idempotency_keys']) AS parent
$$;
COMMENT ON FUNCTION ensure_partitions_for(timestamp) IS
    'For the writer that hit a missing partition: makes those of every table that hold this instant (UTC). '
    'Call it in a transaction of its own, then write again.';

CREATE VIEW partition_ranges AS
SELECT parent.relname::text AS parent,
       child.relname::text AS partition,
       CASE WHEN key.atttypid = 'uuid'::regtype
            THEN timestamp 'epoch' + ('x' || left(replace(bound[1], '-', ''), 12))::bit(48)::bigint * interval '1 millisecond'
            ELSE bound[1]::timestamp END AS lower_at,
       CASE WHEN key.atttypid = 'uuid'::regtype
            THEN timestamp 'epoch' + ('x' || left(replace(bound[2], '-', ''), 12))::bit(48)::bigint * interval '1 millisecond'
            ELSE bound[2]::timestamp END AS upper_at,
       i.inhdetachpending AS detach_pending
FROM pg_partitioned_table p
JOIN pg_class parent ON parent.oid = p.partrelid
JOIN pg_attribute key ON key.attrelid = p.partrelid AND key.attnum = p.partattrs[0]
JOIN pg_inherits i ON i.inhparent = p.partrelid
JOIN pg_class child ON child.oid = i.inhrelid
CROSS JOIN regexp_match(pg_get_expr(child.relpartbound, child.oid), $$FROM \('([^']*)'\) TO \('([^']*)'\)$$) AS bound
WHERE parent.relnamespace = 'public'::regnamespace;
COMMENT ON VIEW partition_ranges IS
    'Every partition and the time it holds, UTC, upper bound excluded: for retention (DETACH CONCURRENTLY, then '
    'DROP), and for the alarm on partitions running out.';

-- This month and the three after it.
DO $$
BEGIN
    PERFORM ensure_partitions(date_trunc('month', now() AT TIME ZONE 'UTC')::date, 4);
END
$$;

COMMIT;
