-- Verify notification-service:notification_status_rank on pg
BEGIN;

SELECT 1 / (array_agg(notification_status_rank(s) ORDER BY n) = '{0,1,2,3,3,3,3,3,4,5}')::int
FROM unnest('{pending,deferred,sent,failed,expired,suppressed,cancelled,superseded,delivered,opened}'::text[])
     WITH ORDINALITY AS status (s, n);
SELECT 1 / (notification_status_rank('received') IS NULL)::int;

ROLLBACK;
