-- Verify notification-service:extensions on pg
BEGIN;

SELECT 1 / (count(*) = 2)::int FROM pg_extension WHERE extname IN ('uuid-ossp', 'pgcrypto');
SELECT uuid_generate_v4();

ROLLBACK;
