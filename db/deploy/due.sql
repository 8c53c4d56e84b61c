-- Deploy notification-service:due to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE due (
    notification_id UUID PRIMARY KEY,
    due_at TIMESTAMP NOT NULL,
    reason VARCHAR(30) NOT NULL
        CHECK (reason IN ('retry', 'deferred', 'scheduled', 'devices_unavailable')),
    detail TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT NOW()
) WITH (
    -- A row lives for minutes and is deleted: dead rows soon outnumber live ones, and readers of
    -- the index walk over them. Clean every thousand, whatever the size.
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.0,
    autovacuum_analyze_threshold = 1000
);
COMMENT ON TABLE due IS
    'Added to the design: what is neither over nor in a queue within minutes. Recovery reads this '
    'and the tail of notification_history, and so notification_history needs no index on status. Written in the '
    'transaction that makes the notification wait, deleted in the one that ends it.';
COMMENT ON COLUMN due.notification_id IS
    'UUIDv7: tells created_at, hence the partition of the notification.';

CREATE INDEX idx_due_due_at ON due (due_at);

COMMIT;
