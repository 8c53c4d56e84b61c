-- Verify notification-service:encryption_keys on pg
BEGIN;

SELECT purpose, version, secret_name, encrypt_from, encrypt_until, decrypt_until,
       created_at
FROM encryption_keys WHERE FALSE;

SELECT 1 / (count(*) = 1)::int FROM pg_index
WHERE indrelid = 'encryption_keys'::regclass AND indisvalid AND indexrelid IN (
    'encryption_keys_pkey'::regclass);

SELECT 1 / (count(*) = 3)::int FROM pg_constraint
WHERE conrelid = 'encryption_keys'::regclass AND convalidated AND conname IN ('encryption_keys_version_check', 'encryption_keys_encrypt_window', 'encryption_keys_decrypt_window');

ROLLBACK;
