-- Deploy notification-service:notification_templates to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE notification_templates (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    template_name VARCHAR(100) NOT NULL UNIQUE,
    notification_type VARCHAR(50) NOT NULL,
    template_data JSONB NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP NOT NULL DEFAULT NOW(),
    revision INTEGER NOT NULL DEFAULT 1
);
COMMENT ON TABLE notification_templates IS
    'Templates of titles and bodies, as JSON with {{variable}} places. Deactivated, not deleted.';
COMMENT ON COLUMN notification_templates.revision IS
    'Added to the design: recorded with each notification rendered, to tell by which text; also the etag.';

CREATE INDEX idx_notification_templates_notification_type ON notification_templates (notification_type);

CREATE TRIGGER update_notification_templates_timestamp
BEFORE UPDATE ON notification_templates
FOR EACH ROW EXECUTE FUNCTION update_timestamp_and_revision();

COMMIT;
