-- Deploy notification-service:attempt_provider to pg
-- Dead letters are looked for by the provider that refused them, and a device's platform is not kept.
--
-- The constant default is kept in the catalogue: no row is rewritten, however many partitions there
-- are, and rows of before, as well as those that the program before this one still writes,
-- read as what that program knew: APNs.

BEGIN;
SET LOCAL lock_timeout = '2s';

ALTER TABLE delivery_attempts ADD COLUMN provider VARCHAR(20) DEFAULT 'apns';
COMMENT ON COLUMN delivery_attempts.provider IS
    'Added to the design: the push service that was asked. NULL: none was, for there is none for the '
    'device''s platform.';

COMMIT;
