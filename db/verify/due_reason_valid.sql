-- Verify notification-service:due_reason_valid on pg
BEGIN;

SELECT 1 / (count(*) = 1)::int FROM pg_constraint
WHERE conrelid = 'due'::regclass AND conname = 'due_reason_check' AND convalidated;

ROLLBACK;
