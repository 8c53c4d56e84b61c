-- Deploy notification-service:notification_history to pg
-- One row for each notification accepted; written once, updated once.
-- Partitions are made by the functions of change "partitions".

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE notification_history (
    id UUID NOT NULL DEFAULT uuid_generate_v7(),
    user_id UUID NOT NULL,
    conversation_id UUID,
    message_id UUID,
    notification_type VARCHAR(50) NOT NULL,
    title VARCHAR(255) NOT NULL,
    body TEXT NOT NULL,
    payload JSONB NOT NULL DEFAULT '{}',
    metadata JSONB NOT NULL DEFAULT '{}',
    status VARCHAR(20) NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'deferred', 'sent', 'delivered', 'opened', 'failed',
                          'expired', 'suppressed', 'cancelled', 'superseded')),
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    sent_at TIMESTAMP,
    delivered_at TIMESTAMP,
    opened_at TIMESTAMP,
    expired_at TIMESTAMP,
    priority VARCHAR(10) NOT NULL DEFAULT 'medium' CHECK (priority IN ('high', 'medium', 'low')),
    due_at TIMESTAMP,
    expires_at TIMESTAMP,
    PRIMARY KEY (created_at, id)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE notification_history IS
    'Every notification accepted, by month of created_at. No index may name, or have in its predicate, '
    'a column that changes with status: the one update of a row must be HOT, in the room that '
    'fillfactor 50 leaves. There is no default partition: it would block DETACH CONCURRENTLY.';
COMMENT ON COLUMN notification_history.id IS
    'UUIDv7. The design has no default; this one serves rows made by hand. Unique by construction: '
    'the key of a partitioned table must hold created_at, so nothing can refer to id alone.';
COMMENT ON COLUMN notification_history.created_at IS
    'The instant of id, cut to the millisecond, UTC: an id alone finds its partition.';
COMMENT ON COLUMN notification_history.status IS 'Only moves up notification_status_rank().';
COMMENT ON COLUMN notification_history.metadata IS
    'Written at insert and never updated (it is indexed): labels, the decision and its reasons.';
COMMENT ON COLUMN notification_history.delivered_at IS 'First acceptance by a provider.';
COMMENT ON COLUMN notification_history.expired_at IS 'When it did expire; the deadline is expires_at.';
COMMENT ON COLUMN notification_history.priority IS
    'Added to the design: which of the three queues; rebuilding a lost queue needs it.';
COMMENT ON COLUMN notification_history.due_at IS
    'Added to the design: not to be sent before (scheduled, deferred); NULL means at once.';
COMMENT ON COLUMN notification_history.expires_at IS
    'Added to the design: not to be sent after; NULL means no deadline of its own.';

-- A user's list, newest first, with a cursor.
CREATE INDEX idx_notification_history_user_id_created_at ON notification_history (user_id, created_at);
-- Search by the caller's labels: metadata->'labels' @> '{"campaign": "spring"}'. Not all of metadata: the
-- trail of the decision would make each insert two and a half times as dear.
CREATE INDEX idx_notification_history_labels ON notification_history
    USING gin ((metadata -> 'labels') jsonb_path_ops);

COMMIT;
