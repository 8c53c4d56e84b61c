// Prints a token as the identity service would give it to a user's app: for the stack of ./dev up, whose
// service trusts the key in build/up/user-key.pem. In production this key is the identity service's alone.
//
//   node user-token.mjs ../build/up/user-key.pem a11ce000-0000-4000-8000-000000000001

import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [keyFile, userId] = process.argv.slice(2);
if (userId === undefined) {
  console.error('usage: node user-token.mjs <key-file> <user-id>');
  process.exit(2);
}

const now = Math.floor(Date.now() / 1000);
const header = { alg: 'ES256', typ: 'at+jwt', kid: 'dev' };
const claims = {
  iss: 'https://id.whispr.example', aud: 'notifications', sub: userId, iat: now, exp: now + 3600,
};
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const text = `${encode(header)}.${encode(claims)}`;
const signature = sign('sha256', text,
  { key: createPrivateKey(readFileSync(keyFile)), dsaEncoding: 'ieee-p1363' });
console.log(`${text}.${signature.toString('base64url')}`);
