-- Verify notification-service:uuid_v7 on pg
BEGIN;

-- The example of RFC 9562, appendix A.6.
SELECT 1 / (uuid_v7_instant('017f22e2-79b0-7cc3-98c4-dc0c0c07398f') = '2022-02-22 19:22:22+00')::int;
SELECT 1 / (uuid_v7_lower_bound('2022-02-22 19:22:22+00') = '017f22e2-79b0-0000-0000-000000000000')::int;
SELECT 1 / (uuid_v7_instant('5c146b14-3c52-4afd-938a-375d0df1fbf6') IS NULL)::int;
-- Made, read back: cut to the millisecond, of version 7.
SELECT 1 / (uuid_v7_instant(uuid_generate_v7('2026-01-31 23:59:59.999999+00')) = '2026-01-31 23:59:59.999+00')::int;
SELECT 1 / (uuid_v7_instant(uuid_generate_v7()) = date_trunc('milliseconds', now()))::int;
SELECT 1 / (uuid_generate_v7() <> uuid_generate_v7())::int;

ROLLBACK;
