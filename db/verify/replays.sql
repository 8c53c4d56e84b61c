-- Verify notification-service:replays on pg
BEGIN;

SELECT notification_id, replayed_at, job
FROM replays WHERE FALSE;

SELECT 1 / (count(*) = 1)::int FROM pg_index
WHERE indrelid = 'replays'::regclass AND indisvalid AND indexrelid IN ('replays_pkey'::regclass);

SELECT 1 / (count(*) = 1)::int FROM pg_constraint
WHERE conrelid = 'due'::regclass AND conname = 'due_reason_check' AND pg_get_constraintdef(oid) LIKE '%''replay''%';

ROLLBACK;
