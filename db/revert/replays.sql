-- Revert notification-service:replays from pg
-- LOSES DATA: drops when and by which job notifications were replayed, and what of it still waits in due.

BEGIN;
SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
    IF EXISTS (SELECT FROM replays) THEN
        RAISE WARNING 'replays is dropped with the rows it holds';
    END IF;
END
$$;
DELETE FROM due WHERE reason = 'replay';
ALTER TABLE due DROP CONSTRAINT due_reason_check;
ALTER TABLE due ADD CONSTRAINT due_reason_check
    CHECK (reason IN ('retry', 'deferred', 'scheduled', 'devices_unavailable'));
DROP TABLE replays;

COMMIT;
