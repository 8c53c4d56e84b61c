-- Deploy notification-service:devices to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE devices (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL,
    platform VARCHAR(20) NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    token TEXT NOT NULL,
    device_id VARCHAR(255) NOT NULL UNIQUE,
    metadata JSONB NOT NULL DEFAULT '{}',
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    last_seen TIMESTAMP NOT NULL DEFAULT NOW(),
    registered_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    token_fingerprint BYTEA,
    source_version BIGINT NOT NULL DEFAULT 0,
    deleted_at TIMESTAMP,
    CONSTRAINT devices_deleted_is_inactive CHECK (deleted_at IS NULL OR NOT is_active)
);
COMMENT ON TABLE devices IS
    'Replica of the registry of auth-service, for degraded mode and for warming caches. Never the '
    'truth, and nothing refers to it by a foreign key: an attempt outlives its device.';
COMMENT ON COLUMN devices.id IS
    'The device''s UUID in auth-service; what device_id UUID means in every other table.';
COMMENT ON COLUMN devices.device_id IS 'The vendor''s identifier of the device, not a key of ours.';
COMMENT ON COLUMN devices.token IS
    'AES-256-GCM ciphertext bound to this row, never plain text; empty once the device is deleted.';
COMMENT ON COLUMN devices.token_fingerprint IS
    'Added to the design: keyed digest of the token. Ciphertexts of one token differ, so equality '
    '(the same token on two devices or users, a token reported dead) is asked of this. NULL once deleted.';
COMMENT ON COLUMN devices.source_version IS
    'Added to the design: auth-service''s version of this device; an older one never overwrites a newer one.';
COMMENT ON COLUMN devices.deleted_at IS
    'Added to the design: a deleted device stays a while as an inactive row, so that its version '
    'still stops an older update that arrives late.';

-- Every row of a user, deleted ones too: full synchronisation, forgetting a user.
CREATE INDEX idx_devices_user_id ON devices (user_id);
-- The devices a notification goes to.
CREATE INDEX idx_devices_active ON devices (user_id) WHERE is_active;
-- Not unique: within one synchronisation two devices may exchange their tokens.
CREATE INDEX idx_devices_token_fingerprint ON devices (token_fingerprint) WHERE token_fingerprint IS NOT NULL;
-- For nodes that were cut off and ask what changed since.
CREATE INDEX idx_devices_updated_at ON devices (updated_at);

CREATE TRIGGER update_devices_timestamp
BEFORE UPDATE ON devices
FOR EACH ROW EXECUTE FUNCTION update_timestamp();

COMMIT;
