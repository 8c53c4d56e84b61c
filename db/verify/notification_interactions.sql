-- Verify notification-service:notification_interactions on pg
BEGIN;

SELECT id, notification_id, device_id, action_type, action_data, interacted_at
FROM notification_interactions WHERE FALSE;

SELECT 1 / count(*) FROM pg_partitioned_table
WHERE partrelid = 'notification_interactions'::regclass AND partstrat = 'r' AND partdefid = 0
  AND pg_get_partkeydef(partrelid) = 'RANGE (id)';

SELECT 1 / (count(*) = 4)::int FROM pg_index
WHERE indrelid = 'notification_interactions'::regclass AND indisvalid AND indexrelid IN (
    'notification_interactions_pkey'::regclass,
    'idx_notification_interactions_notification_id'::regclass,
    'idx_notification_interactions_device_id'::regclass,
    'idx_notification_interactions_action_type'::regclass);

SELECT 1 / (count(*) = 0)::int FROM pg_constraint WHERE conrelid = 'notification_interactions'::regclass AND contype = 'f';

ROLLBACK;
