-- Deploy notification-service:conversation_settings to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE conversation_settings (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    notifications_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    sound_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    notification_level VARCHAR(20) NOT NULL DEFAULT 'all',
    muted_until TIMESTAMP,
    custom_settings JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    revision INTEGER NOT NULL DEFAULT 1,
    UNIQUE (user_id, conversation_id)
);
COMMENT ON TABLE conversation_settings IS
    'What a user wants of one conversation; overrides user_settings. No foreign key to user_settings: '
    'a user may settle one conversation and nothing else. Reset by update, not by delete, for the '
    'reasons given at user_settings.';
COMMENT ON COLUMN conversation_settings.revision IS
    'Added to the design: the etag, and the guard of cache writes. Grows by one with every update.';

CREATE INDEX idx_conversation_settings_user_id ON conversation_settings (user_id);
CREATE INDEX idx_conversation_settings_muted_until ON conversation_settings (muted_until);
-- Added to the design, as for user_settings: nodes that were cut off ask what changed since.
CREATE INDEX idx_conversation_settings_updated_at ON conversation_settings (updated_at);

CREATE TRIGGER update_conversation_settings_timestamp
BEFORE UPDATE ON conversation_settings
FOR EACH ROW EXECUTE FUNCTION update_timestamp_and_revision();

COMMIT;
