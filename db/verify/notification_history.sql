-- Verify notification-service:notification_history on pg
BEGIN;

SELECT id, user_id, conversation_id, message_id, notification_type, title, body, payload,
       metadata, status, created_at, sent_at, delivered_at, opened_at, expired_at,
       priority, due_at, expires_at
FROM notification_history WHERE FALSE;

SELECT 1 / count(*) FROM pg_partitioned_table
WHERE partrelid = 'notification_history'::regclass AND partstrat = 'r' AND partdefid = 0
  AND pg_get_partkeydef(partrelid) = 'RANGE (created_at)';

SELECT 1 / (count(*) = 3)::int FROM pg_index
WHERE indrelid = 'notification_history'::regclass AND indisvalid AND indexrelid IN (
    'notification_history_pkey'::regclass,
    'idx_notification_history_user_id_created_at'::regclass,
    'idx_notification_history_labels'::regclass);

SELECT 1 / (count(*) = 2)::int FROM pg_constraint
WHERE conrelid = 'notification_history'::regclass AND convalidated AND conname IN ('notification_history_status_check', 'notification_history_priority_check');

-- No index names a column that changes with status.
SELECT 1 / (count(*) = 0)::int
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
WHERE i.indrelid = 'notification_history'::regclass
  AND a.attname IN ('status', 'sent_at', 'delivered_at', 'opened_at', 'expired_at')
  AND (a.attnum = ANY (i.indkey) OR pg_get_indexdef(i.indexrelid) ~ ('\m' || a.attname || '\M'));

ROLLBACK;
