-- Revert notification-service:maintainer from pg
-- LOSES DATA: the token starts again at 0. Stop every node first, or a replaced maintainer may act.

BEGIN;
SET LOCAL lock_timeout = '2s';

DROP TABLE maintainer;
DROP FUNCTION maintainer_token_only_grows();

COMMIT;
