-- Deploy notification-service:idempotency_keys to pg
-- Who sent which request in the last 24 hours, and which notification it became.
-- Partitions are made by the functions of change "partitions".
--
-- How uniqueness works here. A key of the whole table would have to hold created_at, which differs
-- between two requests of one key, and so would stop nothing. Instead every day partition
-- has a unique index of its own on (caller, key_hash): within a day the second of two
-- concurrent requests conflicts, and ON CONFLICT DO NOTHING (without a target: the parent has
-- no such index to infer) tells it so. Its reader must then
--
--   1. look for (caller, key_hash) in the days before, from the request's instant less 24 hours:
--      bounds that are constants, so that the other partitions are left out;
--   2. insert in the order of (caller, key_hash), lest two batches deadlock, RETURNING what went
--      in; whose the key of the rest is, another statement finds, up to the request's instant plus
--      the clock skew allowed;
--   3. just after midnight (five minutes are plenty), insert the key a second time with
--      created_at = midnight less a microsecond. Two requests a moment before and a moment after
--      midnight then meet in the index of the day that ends. If a row of its first minutes, older
--      than 24 hours by now, holds the key there, leave this out: a request before midnight
--      would be a repetition of that row.
--
-- Apart from those minutes a conflict within a day partition is never older than 24 hours, so it is
-- always a repetition.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE idempotency_keys (
    caller VARCHAR(255) NOT NULL,
    key_hash BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    explicit BOOLEAN NOT NULL,
    notification_id UUID NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    PRIMARY KEY (created_at, notification_id)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE idempotency_keys IS
    'Added to the design: requests accepted in the last 24 hours, by day; written in the transaction of '
    'the history row. Unique on (caller, key_hash) in each partition, see the script that made it.';
COMMENT ON COLUMN idempotency_keys.key_hash IS
    'Digest of the caller''s key or, without one, of the whole canonical request.';
COMMENT ON COLUMN idempotency_keys.request_hash IS
    'Digest of the whole canonical request: an explicit key used for another request is a clash.';
COMMENT ON COLUMN idempotency_keys.explicit IS 'The caller gave the key; only then can there be a clash.';
COMMENT ON COLUMN idempotency_keys.created_at IS
    'The notification''s created_at, so that both are in the same day of the same clock.';
COMMENT ON CONSTRAINT idempotency_keys_pkey ON idempotency_keys IS
    'Begins with created_at: inserts touch the right edge only, and cost next to nothing.';

COMMIT;
