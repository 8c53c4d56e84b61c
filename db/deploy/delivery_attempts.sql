-- Deploy notification-service:delivery_attempts to pg
-- One row for each (notification, device, try); never updated.
-- Partitions are made by the functions of change "partitions".

BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE delivery_attempts (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v7(),
    notification_id UUID NOT NULL,
    device_id UUID NOT NULL,
    status VARCHAR(20) NOT NULL
        CHECK (status IN ('delivered', 'token_gone', 'failed', 'retry', 'unknown')),
    error_code VARCHAR(50),
    error_message TEXT,
    response_data JSONB,
    retry_count INTEGER NOT NULL DEFAULT 0,
    attempted_at TIMESTAMP NOT NULL DEFAULT NOW(),
    next_retry_at TIMESTAMP
) PARTITION BY RANGE (id);
COMMENT ON TABLE delivery_attempts IS
    'Every try to deliver, by month of its id. No foreign keys: devices is a replica that loses rows, and '
    'the key of notification_history cannot be referred to by id alone; a consistency check looks '
    'for orphans instead.';
COMMENT ON COLUMN delivery_attempts.id IS
    'UUIDv7 of the notification''s instant, the rest a hash of (notification, device, try): the same month as '
    'the notification, all tries of one notification adjacent, and inserting an outcome twice '
    'does nothing. The default, for rows made by hand, replaces the design''s version 4, which says nothing of time.';
COMMENT ON COLUMN delivery_attempts.device_id IS 'The device''s UUID in auth-service.';
COMMENT ON COLUMN delivery_attempts.status IS
    'delivered: the provider accepted it. token_gone: the token is dead. failed: given up. retry: again at '
    'next_retry_at. unknown: it was sent and no answer came.';
COMMENT ON COLUMN delivery_attempts.next_retry_at IS 'Written with the failed attempt; the truth of a retry.';

CREATE INDEX idx_delivery_attempts_notification_id ON delivery_attempts (notification_id);
CREATE INDEX idx_delivery_attempts_device_id ON delivery_attempts (device_id);
-- Partial, unlike the design's: nearly every attempt succeeds and has no next retry, and then
-- costs nothing here. Serves "next_retry_at <= x" all the same.
CREATE INDEX idx_delivery_attempts_next_retry_at ON delivery_attempts (next_retry_at)
    WHERE next_retry_at IS NOT NULL;

COMMIT;
