-- Deploy notification-service:update_timestamp to pg
-- now() AT TIME ZONE 'UTC' is the document's NOW() on a connection pinned to UTC, and right on
-- any other.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE FUNCTION update_timestamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now() AT TIME ZONE 'UTC';
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION update_timestamp() IS 'BEFORE UPDATE trigger: keeps updated_at.';

-- updated_at is for people and for polling; two updates may share one. An etag, and the guard
-- that keeps a slow reader from caching old data over new, need a number that always grows.
CREATE FUNCTION update_timestamp_and_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now() AT TIME ZONE 'UTC';
    NEW.revision = OLD.revision + 1;
    RETURN NEW;
END;
$$;
COMMENT ON FUNCTION update_timestamp_and_revision() IS
    'BEFORE UPDATE trigger: keeps updated_at and adds one to revision, whatever the statement set.';

COMMIT;
