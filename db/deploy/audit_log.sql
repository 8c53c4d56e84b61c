-- Deploy notification-service:audit_log to pg
-- Partitioned by month on id like the big tables: every read of a person's settings is a row, they are
-- kept a year, and retention must not be a DELETE of millions of rows.

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE audit_log (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v7(),
    at TIMESTAMP NOT NULL DEFAULT NOW(),
    actor VARCHAR(255) NOT NULL,
    action VARCHAR(100) NOT NULL,
    subject_type VARCHAR(50) NOT NULL,
    subject_id VARCHAR(255),
    detail JSONB NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
COMMENT ON TABLE audit_log IS
    'Added to the design: who read or changed whose preferences, devices and templates, administrative acts, '
    'and refusals. The audit of sends is notification_history and delivery_attempts.';
COMMENT ON COLUMN audit_log.actor IS 'A SPIFFE id, a user''s id, or the operator''s name.';
COMMENT ON COLUMN audit_log.subject_id IS 'NULL where the act has no single subject.';
COMMENT ON COLUMN audit_log.detail IS 'What changed, never a token, a title or a body.';

-- "Who touched this?" and "what did they do?", newest first: id orders by time.
CREATE INDEX idx_audit_log_subject ON audit_log (subject_id, id);
CREATE INDEX idx_audit_log_actor ON audit_log (actor, id);

COMMIT;
