-- Deploy notification-service:notification_status_rank to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

-- A status only moves to a higher rank; equal ranks do not move, so the first end stands.
--
--   0 pending      accepted
--   1 deferred     accepted, waits for the end of quiet hours
--   2 sent         handed to a provider for at least one device
--   3 failed, expired, suppressed, cancelled, superseded
--                  over without an acceptance; none of them overrides another
--   4 delivered    a provider accepted it: true even if it was cancelled or had failed a
--                  moment before (an answer that came late, a replay that worked)
--   5 opened       a person saw it: true whatever we believed
--
-- An unknown status has no rank (NULL), so comparing with it is never true and changes nothing.
-- Ranks are stored nowhere: a later status may shift them.
CREATE FUNCTION notification_status_rank(status text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE status
        WHEN 'pending' THEN 0
        WHEN 'deferred' THEN 1
        WHEN 'sent' THEN 2
        WHEN 'failed' THEN 3
        WHEN 'expired' THEN 3
        WHEN 'suppressed' THEN 3
        WHEN 'cancelled' THEN 3
        WHEN 'superseded' THEN 3
        WHEN 'delivered' THEN 4
        WHEN 'opened' THEN 5
    END
$$;
COMMENT ON FUNCTION notification_status_rank(text) IS
    'Rank of a notification''s status. Updates carry: rank(new) > rank(old).';

COMMIT;
