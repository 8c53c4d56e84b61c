-- Verify notification-service:attempt_provider on pg
BEGIN;

SELECT provider FROM delivery_attempts WHERE FALSE;

ROLLBACK;
