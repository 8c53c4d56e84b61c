-- Deploy notification-service:replays to pg
-- The check on due.reason is made anew with NOT VALID: its lock lasts for a moment, whatever waits
-- in due. The change after this one validates it, under a lock that nobody waits for.
--
-- The program before this one promotes a replayed notification too, but then takes it for finished
-- and drops it from the queue; its row in due stays, and the next node of this version sends it.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE replays (
    notification_id UUID NOT NULL,
    replayed_at TIMESTAMP NOT NULL,
    job UUID NOT NULL,
    PRIMARY KEY (notification_id, replayed_at)
);
COMMENT ON TABLE replays IS
    'Added to the design: when a notification that had failed was to be tried anew. Attempts of before do not '
    'count against its retries. Small, since a person orders it. notification_id is a UUIDv7, so '
    'retention is a range of the primary key: DELETE FROM replays WHERE notification_id < '
    'uuid_v7_lower_bound(now() - interval ''90 days'').';
COMMENT ON COLUMN replays.job IS
    'Which replay it was: audit_log.subject_id, where who asked for it and why stands.';

ALTER TABLE due DROP CONSTRAINT due_reason_check;
ALTER TABLE due ADD CONSTRAINT due_reason_check
    CHECK (reason IN ('retry', 'deferred', 'scheduled', 'devices_unavailable', 'replay')) NOT VALID;

COMMIT;
