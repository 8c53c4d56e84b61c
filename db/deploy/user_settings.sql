-- Deploy notification-service:user_settings to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE user_settings (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL UNIQUE,
    notifications_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    sound_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    vibration_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    notification_sound VARCHAR(100) DEFAULT 'default',
    quiet_hours JSONB NOT NULL DEFAULT '{}',
    preferences JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    revision INTEGER NOT NULL DEFAULT 1
);
COMMENT ON TABLE user_settings IS
    'A user''s global notification settings. No row means the defaults. Going back to the defaults '
    'updates the row and does not delete it: a deleted and remade row would start again at '
    'revision 1, and a poll of updated_at cannot see a row that is gone.';
COMMENT ON COLUMN user_settings.revision IS
    'Added to the design: the etag, and the guard of cache writes. Grows by one with every update.';

-- The UNIQUE constraint already serves look-ups; this one is here because the design names it.
CREATE INDEX idx_user_settings_user_id ON user_settings (user_id);
CREATE INDEX idx_user_settings_notifications_enabled ON user_settings (notifications_enabled);
-- For nodes that were cut off and ask what changed since.
CREATE INDEX idx_user_settings_updated_at ON user_settings (updated_at);

CREATE TRIGGER update_user_settings_timestamp
BEFORE UPDATE ON user_settings
FOR EACH ROW EXECUTE FUNCTION update_timestamp_and_revision();

COMMIT;
