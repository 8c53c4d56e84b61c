-- Deploy notification-service:device_sync to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE device_sync (
    user_id UUID PRIMARY KEY,
    synced_at TIMESTAMP NOT NULL DEFAULT NOW(),
    version BIGINT NOT NULL DEFAULT 0,
    device_count INTEGER NOT NULL DEFAULT 0 CHECK (device_count >= 0)
);
COMMENT ON TABLE device_sync IS
    'Added to the design: one row for each user whose devices were ever synchronised. Tells "has no '
    'device" (count 0) from "never synchronised" (no row), and fresh from stale.';
COMMENT ON COLUMN device_sync.version IS 'The highest version of the user''s device set seen from auth-service.';
COMMENT ON COLUMN device_sync.device_count IS 'Devices the source said there are; differs from devices when the replica is incomplete.';

-- The stalest users first: reconciliation after an outage.
CREATE INDEX idx_device_sync_synced_at ON device_sync (synced_at);

COMMIT;
