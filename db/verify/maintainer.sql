-- Verify notification-service:maintainer on pg
BEGIN;

SELECT only_row, token, holder, elected_at
FROM maintainer WHERE FALSE;

SELECT 1 / (count(*) = 1)::int FROM maintainer;

SELECT 1 / (count(*) = 1)::int FROM pg_trigger
WHERE tgrelid = 'maintainer'::regclass AND tgenabled = 'O' AND tgname IN ('maintainer_token_only_grows');

ROLLBACK;
