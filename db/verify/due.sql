-- Verify notification-service:due on pg
BEGIN;

SELECT notification_id, due_at, reason, detail, created_at
FROM due WHERE FALSE;

SELECT 1 / (count(*) = 2)::int FROM pg_index
WHERE indrelid = 'due'::regclass AND indisvalid AND indexrelid IN (
    'due_pkey'::regclass,
    'idx_due_due_at'::regclass);

SELECT 1 / (count(*) = 1)::int FROM pg_constraint
WHERE conrelid = 'due'::regclass AND convalidated AND conname IN ('due_reason_check');

ROLLBACK;
