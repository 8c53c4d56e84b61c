-- Deploy notification-service:uuid_v7 to pg
-- UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then 74 random bits. The id of
-- a notification tells its instant, hence its partition.
-- PostgreSQL has uuidv7() from 18 on; these serve 15 to 17 and keep their names afterwards.

BEGIN;
SET LOCAL lock_timeout = '2s';

-- The instant is now(), not the clock: within a transaction it is the same one that
-- DEFAULT NOW() gives to created_at, so a row made by defaults alone is in the right
-- partition even at midnight. Milliseconds are cut, never rounded up.
-- gen_random_uuid() makes a version 4; two bits (52, 53) turn the 4 into a 7.
CREATE FUNCTION uuid_generate_v7(instant timestamptz DEFAULT now()) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                    PLACING substring(int8send(floor(extract(epoch FROM instant) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6),
            52, 1), 53, 1),
        'hex')::uuid
$$;
COMMENT ON FUNCTION uuid_generate_v7(timestamptz) IS
    'A UUIDv7 of the given instant, by default that of the transaction (the one NOW() gives).';

-- By way of UTC, so that every step is immutable and the planner may fold or inline it.
CREATE FUNCTION uuid_v7_lower_bound(instant timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM instant AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;
COMMENT ON FUNCTION uuid_v7_lower_bound(timestamptz) IS
    'The smallest uuid that any id of this millisecond or later is not below: milliseconds, then zeros.';

CREATE FUNCTION uuid_v7_instant(id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN get_byte(uuid_send(id), 6) >> 4 = 7 AND get_byte(uuid_send(id), 8) >> 6 = 2
        THEN (timestamp 'epoch'
              + ('x' || left(encode(uuid_send(id), 'hex'), 12))::bit(48)::bigint * interval '1 millisecond')
             AT TIME ZONE 'UTC'
    END
$$;
COMMENT ON FUNCTION uuid_v7_instant(uuid) IS
    'The instant of a UUIDv7, to the millisecond; NULL for any other kind of uuid.';

COMMIT;
