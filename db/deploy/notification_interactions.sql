-- Deploy notification-service:notification_interactions to pg
-- What the apps report: received, opened, dismissed, an action; never updated.
-- Partitions are made by the functions of change "partitions".

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE notification_interactions (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v7(),
    notification_id UUID NOT NULL,
    device_id UUID NOT NULL,
    action_type VARCHAR(50) NOT NULL,
    action_data JSONB NOT NULL DEFAULT '{}',
    interacted_at TIMESTAMP NOT NULL DEFAULT NOW()
) PARTITION BY RANGE (id);
COMMENT ON TABLE notification_interactions IS
    'What people and devices did with a notification, by month of its id. No foreign keys, for the reasons '
    'given at delivery_attempts.';
COMMENT ON COLUMN notification_interactions.id IS
    'UUIDv7. The default replaces the design''s version 4, which says nothing of time and would find no partition.';
COMMENT ON COLUMN notification_interactions.device_id IS 'The device''s UUID in auth-service.';

CREATE INDEX idx_notification_interactions_notification_id ON notification_interactions (notification_id);
CREATE INDEX idx_notification_interactions_device_id ON notification_interactions (device_id);
CREATE INDEX idx_notification_interactions_action_type ON notification_interactions (action_type);

COMMIT;
