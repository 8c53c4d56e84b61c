-- Deploy notification-service:retention to pg
-- What the elected maintainer needs to delete what was kept for long enough. How long that is, is the
-- service's configuration (retention.*); here is how it is done without stopping writers:
--
--   1. retention_begin() says by which time retention goes.
--   2. retention_next() names the next partition that is too old, and the statement that detaches
--      it. Detaching concurrently cannot be done in a function: the service runs the statement.
--   3. retention_drop() drops what was detached.
--
-- A detached table carries a mark in its comment, so that retention never drops a table that a
-- person has detached in order to keep it.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE maintainer ADD COLUMN retention_clock TIMESTAMP;
COMMENT ON COLUMN maintainer.retention_clock IS
    'The time by which retention goes, UTC. It follows the database''s clock, but by one day a run at most: '
    'a clock that jumps ahead must not delete what is young. NULL before the first run.';

CREATE FUNCTION retention_begin(node_time timestamp, OUT at timestamp, OUT seconds_apart bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
    present CONSTANT timestamp := now() AT TIME ZONE 'UTC';
BEGIN
    seconds_apart := extract(epoch FROM present - node_time);
    IF seconds_apart IS NULL OR abs(seconds_apart) > 60 THEN
        RETURN;
    END IF;
    UPDATE maintainer SET retention_clock = least(present, coalesce(retention_clock + interval '1 day', present))
    RETURNING retention_clock INTO at;
END;
$$;
COMMENT ON FUNCTION retention_begin(timestamp) IS
    'Moves maintainer.retention_clock up to now, by one day at most, and returns it. NULL if this node''s clock and '
    'the database''s differ by over a minute: then one of them is wrong, and nothing may be deleted.';

CREATE FUNCTION retention_mark(parent text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT 'Too old to be kept: retention detaches this table from ' || parent || ' and drops it.'
$$;

CREATE FUNCTION retention_next(parent text, at timestamp, keep interval, OUT partition text, OUT statement text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
    is_history CONSTANT boolean := parent IN ('notification_history', 'delivery_attempts');
BEGIN
    IF keep IS NULL OR keep < interval '1 day' THEN
        RAISE EXCEPTION 'retention of % is shorter than a day', parent USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Half detached, by a run that broke off: a table can have only one of these.
    SELECT r.partition INTO partition FROM partition_ranges r
    WHERE r.parent = retention_next.parent AND r.detach_pending;
    IF FOUND THEN
        statement := format('ALTER TABLE %I DETACH PARTITION %I FINALIZE', parent, partition);
        RETURN;
    END IF;

    -- Detached, and not dropped yet.
    SELECT c.relname INTO partition FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
      AND obj_description(c.oid, 'pg_class') = retention_mark(parent)
    ORDER BY c.relname LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;

    -- Too old, and by the present time over: no clock makes a partition of the future too old. A
    -- partition stays while a row in due waits for it; a row that is overdue by a week waits for nothing.
    SELECT r.partition INTO partition FROM partition_ranges r
    WHERE r.parent = retention_next.parent
      AND r.upper_at + keep <= least(at, now() AT TIME ZONE 'UTC')
      AND NOT (is_history AND EXISTS (
          SELECT FROM due d
          WHERE d.notification_id >= uuid_v7_lower_bound(r.lower_at AT TIME ZONE 'UTC')
            AND d.notification_id < uuid_v7_lower_bound(r.upper_at AT TIME ZONE 'UTC')
            AND d.due_at > at - interval '7 days'))
    ORDER BY r.lower_at LIMIT 1;
    IF FOUND THEN
        EXECUTE format('COMMENT ON TABLE %I IS %L', partition, retention_mark(parent));
        statement := format('ALTER TABLE %I DETACH PARTITION %I CONCURRENTLY', parent, partition);
    END IF;
END;
$$;
COMMENT ON FUNCTION retention_next(text, timestamp, interval) IS
    'The next partition of this table to be taken away, and the statement that detaches it, outside of any '
    'transaction. Without a statement it is detached already: retention_drop() drops it. No partition: done.';

CREATE FUNCTION retention_drop(parent text, partition text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '5s'
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c
                   WHERE c.relnamespace = 'public'::regnamespace AND c.relname = retention_drop.partition
                     AND c.relkind = 'r' AND NOT c.relispartition
                     AND obj_description(c.oid, 'pg_class') = retention_mark(parent)) THEN
        RETURN FALSE;
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
    RETURN TRUE;
END;
$$;
COMMENT ON FUNCTION retention_drop(text, text) IS
    'Drops a table that retention has detached. False: it is still a partition, or retention has not marked it.';

-- The registry of sqitch belongs to the owner of the database; the role of the service need not be it.
CREATE FUNCTION schema_has(change text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM sqitch.changes c
                   WHERE c.project = 'notification-service' AND c.change = schema_has.change);
END;
$$;
COMMENT ON FUNCTION schema_has(text) IS
    'Is this change deployed? Each node asks for the newest one it knows: with an older schema it is not ready.';

COMMIT;
