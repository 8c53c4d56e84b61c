// Callers that prove who they are: by a certificate of their own, or by what a proxy says of them; and what
// depends on it: limits of a caller, who may send critical types, whose idempotency key it is, the audit.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Authority } from './certificates.mjs';
import { Client } from './client.mjs';
import { Stack, eventually } from './stack.mjs';

const messaging = 'spiffe://whispr.example/ns/default/sa/messaging-service';
const auth = 'spiffe://whispr.example/ns/default/sa/auth-service';
const files = fs.mkdtempSync(path.join(os.tmpdir(), 'ne2e-certs.'));
const authority = new Authority(files);
const server = authority.issue('server', 'spiffe://whispr.example/ns/default/sa/notification-service');
const certificates = { messaging: authority.issue('messaging', messaging), auth: authority.issue('auth', auth) };
const policy = { NOTIFY_DECISION_CRITICAL_CALLERS: auth, NOTIFY_LIMITS_CALLER: '5/1h' };

let stack;
const clients = [];

function connect(address, options) {
  const client = new Client(address, options);
  clients.push(client);
  return client;
}
const as = (name) => connect(stack.address, { tls: authority.credentials(certificates[name]) });
const send = (client, request) => client.call('SendNotification', request);
async function refused(client, request) {
  return send(client, request).then(() => assert.fail('it was not refused'), (error) => error);
}

before(async () => {
  stack = await Stack.start({ ...policy, NOTIFY_GRPC_CERT_FILE: server.cert, NOTIFY_GRPC_KEY_FILE: server.key,
    NOTIFY_GRPC_CA_FILE: authority.file });
});
after(async () => {
  for (const client of clients) client.close();
  await stack?.stop();
  fs.rmSync(files, { recursive: true });
});

test('Who has no certificate, or another authority\'s, does not get as far as a call.', async () => {
  const user = await stack.user({});
  const stranger = new Authority(files, 'stranger');
  const strangers = { ca: fs.readFileSync(authority.file),
    cert: fs.readFileSync(stranger.issue('mallory', auth).cert), key: fs.readFileSync(path.join(files, 'mallory.key')) };
  for (const options of [undefined, { tls: authority.credentials() }, { tls: strangers }]) {
    const error = await refused(connect(stack.address, options), stack.request(user));
    assert.equal(error.code, 'UNAVAILABLE');
  }
});

/** What each kind of call is answered: 'OK', or the name of the status. */
async function answers(client, user) {
  const code = (promise) => promise.then(() => 'OK', (error) => error.code);
  const stream = new Promise((resolve) => {
    const call = client.notifications.StreamNotifications(client.metadata, { deadline: Date.now() + 10_000 });
    call.on('data', () => {});
    call.on('error', () => {}); // the status says it too
    call.on('status', (status) => resolve(grpc.status[status.code]));
    call.write({ items: [{ sequence: 1, notification: stack.request(user) }] });
    call.end();
  });
  const watch = client.watch('', (heard) => heard.length > 0)
    .then(({ heard, code: status }) => (heard.length > 0 ? 'OK' : status));
  return Promise.all([
    code(send(client, stack.request(user))),
    code(client.call('BatchSendNotifications', { notifications: [stack.request(user)] })),
    stream,
    code(client.callPreferences('GetUserSettings', { user_id: user.id })),
    code(client.template('list', {})),
    code(client.replay({ filter: { user_id: user.id }, dry_run: true })),
    code(client.check()),
    watch,
  ]);
}

test('A certificate without a SPIFFE id says nothing of who calls, whatever is called.', async () => {
  const user = await stack.user({});
  certificates.nameless = authority.issue('nameless');
  const error = await refused(as('nameless'), stack.request(user));
  assert.deepEqual([error.code, error.info.ErrorInfo.reason], ['UNAUTHENTICATED', 'UNAUTHENTICATED']);
  assert.match(error.text, /certificate needs one URI, a SPIFFE id/);
  assert.deepEqual(new Set(await answers(as('nameless'), user)), new Set(['UNAUTHENTICATED']));
  certificates.known = authority.issue('known', 'spiffe://whispr.example/ns/default/sa/scheduling-service');
  assert.deepEqual(new Set(await answers(as('known'), user)), new Set(['OK']));
});

test('A critical type is sent by whom the policy names, and by nobody else.', async () => {
  const request = stack.request(await stack.user({}), { type: 'security' });
  const error = await refused(as('messaging'), request);
  assert.equal(error.code, 'PERMISSION_DENIED');
  assert.deepEqual(error.fields, ['type']);
  assert.match(error.text, /type is critical: .*decision\.critical_callers/);
  const { notification_id: id } = await send(as('auth'), request);
  assert.equal((await eventually(async () => {
    const { notification } = await as('auth').call('GetNotification', { notification_id: id });
    return notification.status === 'NOTIFICATION_STATUS_DELIVERED' && notification;
  })).type, 'security');
});

test('A key belongs to the service that used it, also when another uses the same.', async () => {
  const user = await stack.user({});
  const key = randomUUID();
  const mine = await send(as('messaging'), stack.request(user, { idempotency_key: key }));
  const theirs = await send(as('auth'), stack.request(user, { idempotency_key: key }));
  assert.notEqual(mine.notification_id, theirs.notification_id);
});

test('A calling service has a limit over all that it sends, and is told which.', async () => {
  certificates.busy = authority.issue('busy', 'spiffe://whispr.example/ns/default/sa/group-service');
  const busy = as('busy');
  for (let i = 0; i < 5; i++) await send(busy, stack.request(await stack.user({})));
  const error = await refused(busy, stack.request(await stack.user({})));
  assert.equal(error.code, 'RESOURCE_EXHAUSTED');
  assert.equal(error.info.ErrorInfo.metadata.limit, 'caller.1h');
  const [violation] = error.info.QuotaFailure.violations;
  assert.equal(violation.subject, 'caller:spiffe://whispr.example/ns/default/sa/group-service');
  const key = 'ratelimit:caller.1h:{spiffe://whispr.example/ns/default/sa/group-service}';
  assert.equal(await stack.redis('GET', key), '5');
});

test('A change of settings is in the audit by the name of the service that made it.', async () => {
  const user = await stack.user({});
  await as('messaging').callPreferences('UpdateUserSettings',
    { user_id: user.id, settings: { sound_enabled: false } });
  const actor = await stack.sql(`SELECT DISTINCT actor FROM audit_log WHERE subject_id = '${user.id}'`);
  assert.equal(actor, messaging);
});

test('The command line proves who asks by the same files.', async () => {
  const identity = ['--ca-file', authority.file, '--cert-file', certificates.auth.cert, '--key-file', certificates.auth.key];
  const listed = await stack.program(['dead-letters', 'list', '--address', stack.address, ...identity]);
  assert.deepEqual([listed.code, listed.stderr], [0, '']);
  assert.match(listed.stdout, /0 dead letters/);
  const wrongName = await stack.program(['dead-letters', 'list', '--address', stack.address, ...identity,
    '--server-name', 'somebody.else.example']);
  assert.notEqual(wrongName.code, 0);
  const anonymous = await stack.program(['dead-letters', 'list', '--address', stack.address, ...identity.slice(0, 2)]);
  assert.notEqual(anonymous.code, 0);
  assert.match(anonymous.stderr, /connect|handshake|closed|reset/i);
});

test('A new certificate and a new authority are taken without a restart; files that do not fit change nothing.', async () => {
  const next = new Authority(files, 'next');
  const renewed = next.issue('renewed', 'spiffe://whispr.example/ns/default/sa/notification-service');
  certificates.later = next.issue('later', messaging);
  const user = await stack.user({});
  const works = async (tls) => {
    const client = new Client(stack.address, { tls });
    try {
      return await client.call('SendNotification', stack.request(user));
    } finally {
      client.close();
    }
  };
  fs.writeFileSync(server.key, '');
  await sleep(1100); // so that they are looked at again
  await works(authority.credentials(certificates.auth));
  fs.copyFileSync(renewed.key, server.key);
  await sleep(1100);
  await works(authority.credentials(certificates.auth));
  assert.match(stack.read('log/service'), /certificates cannot be used.*key values mismatch/);
  fs.copyFileSync(renewed.cert, server.cert);
  fs.appendFileSync(authority.file, fs.readFileSync(next.file));
  await eventually(() => works(next.credentials(certificates.later)), 10_000, 'the new files are in use');
});

test('Behind a proxy that ends TLS, its word counts, and of several the last.', async () => {
  const none = { NOTIFY_GRPC_CERT_FILE: '', NOTIFY_GRPC_KEY_FILE: '', NOTIFY_GRPC_CA_FILE: '' };
  const node = await stack.another('behind-proxy', { ...none, NOTIFY_GRPC_FORWARDED_IDENTITY: 'true' });
  const forwarded = (value) => connect(node.address, { headers: { 'x-forwarded-client-cert': value } });
  const request = stack.request(await stack.user({}), { type: 'security' });
  assert.equal((await refused(node.client, request)).code, 'UNAUTHENTICATED');
  const added = `,By=spiffe://whispr.example/n;Hash=2e;Subject="";URI=${messaging}`;
  const forged = (await refused(forwarded(`Hash=1f;URI=${auth}${added}`), request)).code;
  const unclear = (await refused(forwarded(`URI=${auth};Subject="x${added}`), request)).code;
  assert.deepEqual([forged, unclear], ['PERMISSION_DENIED', 'UNAUTHENTICATED']);
  assert.deepEqual(new Set(await answers(node.client, await stack.user({}))), new Set(['UNAUTHENTICATED']));
  await send(forwarded(`By=spiffe://whispr.example/n;Hash=1f;Subject="";URI=${auth}`), request);
});

test('Certificates that cannot be used are named before the service starts with them.', async () => {
  const other = authority.issue('other', auth);
  const { code, stderr, stdout } = await stack.program(['serve'],
    { env: { ...stack.settings, NOTIFY_GRPC_CERT_FILE: certificates.auth.cert, NOTIFY_GRPC_KEY_FILE: other.key,
      NOTIFY_GRPC_CA_FILE: authority.file } });
  assert.notEqual(code, 0);
  assert.match(stdout + stderr, /other\.key: key values mismatch/);
});
