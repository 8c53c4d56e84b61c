-- Deploy notification-service:encryption_keys to pg
BEGIN;
SET LOCAL lock_timeout = '2s';

CREATE TABLE encryption_keys (
    purpose VARCHAR(50) NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    secret_name VARCHAR(255) NOT NULL,
    encrypt_from TIMESTAMP NOT NULL,
    encrypt_until TIMESTAMP NOT NULL,
    decrypt_until TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT NOW(),
    PRIMARY KEY (purpose, version),
    CONSTRAINT encryption_keys_encrypt_window CHECK (encrypt_until > encrypt_from),
    CONSTRAINT encryption_keys_decrypt_window CHECK (decrypt_until >= encrypt_until)
);
COMMENT ON TABLE encryption_keys IS
    'Added to the design: versions of the encryption keys and when each may be used, agreed on by all nodes. '
    'Never the material.';
COMMENT ON COLUMN encryption_keys.purpose IS 'What the key encrypts, for instance device_token.';
COMMENT ON COLUMN encryption_keys.secret_name IS
    'Where the material is: a version in the secret manager, or a file name in the key directory.';
COMMENT ON COLUMN encryption_keys.encrypt_from IS
    'In the future when the version is announced: every node has fetched it before any node writes with it. '
    'Of the versions in their window, the highest is used.';
COMMENT ON COLUMN encryption_keys.encrypt_until IS 'Rotation: 90 days after encrypt_from.';
COMMENT ON COLUMN encryption_keys.decrypt_until IS
    'Set when nothing is left under this version; NULL: readable for as long as anything is.';

COMMIT;
