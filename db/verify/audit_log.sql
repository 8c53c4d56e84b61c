-- Verify notification-service:audit_log on pg
BEGIN;

SELECT id, at, actor, action, subject_type, subject_id, detail
FROM audit_log WHERE FALSE;

SELECT 1 / count(*) FROM pg_partitioned_table
WHERE partrelid = 'audit_log'::regclass AND partstrat = 'r' AND partdefid = 0
  AND pg_get_partkeydef(partrelid) = 'RANGE (id)';

SELECT 1 / (count(*) = 3)::int FROM pg_index
WHERE indrelid = 'audit_log'::regclass AND indisvalid AND indexrelid IN (
    'audit_log_pkey'::regclass,
    'idx_audit_log_subject'::regclass,
    'idx_audit_log_actor'::regclass);

ROLLBACK;
