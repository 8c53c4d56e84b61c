-- Verify notification-service:database_timezone on pg
BEGIN;

SELECT 1 / count(*)
FROM pg_db_role_setting s
JOIN pg_database d ON d.oid = s.setdatabase
WHERE d.datname = current_database() AND s.setrole = 0 AND 'TimeZone=UTC' = ANY (s.setconfig);

ROLLBACK;
