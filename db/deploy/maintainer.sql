-- Deploy notification-service:maintainer to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE maintainer (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    token BIGINT NOT NULL DEFAULT 0 CHECK (token >= 0),
    holder VARCHAR(255) NOT NULL DEFAULT '',
    elected_at TIMESTAMP NOT NULL DEFAULT NOW()
);
COMMENT ON TABLE maintainer IS
    'Added to the design: one row, the fencing token of the elected maintainer. Redis elects; being elected '
    'adds one to token here; whatever the maintainer does, it does in a transaction that locks this '
    'row FOR SHARE and finds its own token in it. One that was replaced without noticing does nothing.';
COMMENT ON COLUMN maintainer.holder IS 'The node''s incarnation; empty before the first election.';

INSERT INTO maintainer DEFAULT VALUES;

-- A token that went back would let a replaced maintainer act again.
CREATE FUNCTION maintainer_token_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.token < OLD.token THEN
        RAISE EXCEPTION 'the maintainer''s token may not go back from % to %', OLD.token, NEW.token
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER maintainer_token_only_grows
BEFORE UPDATE ON maintainer
FOR EACH ROW EXECUTE FUNCTION maintainer_token_only_grows();

COMMIT;
