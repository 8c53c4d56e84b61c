// Web Push over real sockets: to the simulator, which decrypts as a browser does, and to a server of
// this file, where http_ece decrypts and Node's own crypto verifies.

import assert from 'node:assert/strict';
import { createECDH, createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

const require = createRequire(import.meta.url);
const ece = require('http_ece');
const webPush = require('web-push');

let stack;
before(async () => {
  stack = await Stack.start({
    NOTIFY_DELIVER_RETRY_DELAYS: '1s,1s,1s,1s,1s',
    NOTIFY_DELIVER_REPORT_DELAY: '100ms',
    NOTIFY_WEBPUSH_REQUEST_TIMEOUT: '1500ms',
  });
});
after(() => stack?.stop());

const explain = async (id) => (await stack.program(['explain', id])).stdout;
const statuses = (attempts) => attempts.map((attempt) => attempt.status.replace('ATTEMPT_STATUS_', ''));

test('A browser receives, and explain tells through which service.', async () => {
  const user = await stack.webUser();
  const fields = { title: 'Zoë 🎉', body: 'two\nlines', data: { chat: '42' }, collapse_id: 'chat-42' };
  const request = stack.request(user, { ...fields, priority: 'PRIORITY_HIGH' });
  const { notification_id: id } = await stack.client.call('SendNotification', request);
  const { status, attempts } = await stack.settled(id);
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['DELIVERED']);

  const [line] = await stack.simulator.received(user.devices[0]);
  assert.equal(line.provider, 'webpush');
  assert.equal(line.status, 201);
  assert.equal(line.urgency, 'high');
  assert.equal(line.content_encoding, 'aes128gcm');
  assert.match(line.topic, /^[\w-]{22}$/);
  assert.ok(Number(line.ttl) > 4 * 3600 - 60 && Number(line.ttl) <= 4 * 3600, line.ttl);
  assert.equal(line.payload.web_push, 8030);
  const { title, body, navigate, tag, data } = line.payload.notification;
  assert.deepEqual({ title, body, tag }, { title: fields.title, body: fields.body, tag: 'chat-42' });
  assert.equal(navigate, 'https://app.whispr.example/');
  assert.deepEqual(data, { notification_id: id, chat: '42' });
  assert.match(await explain(id), /try 1, device .*, webpush: the provider accepted it$/m);
});

test('A subscription that is gone is given up, and auth-service is told.', async () => {
  for (const answer of [{ status: 404 }, { status: 410 }, { status: 403, reason: 'VapidPkHashMismatch' }]) {
    const user = await stack.webUser();
    await stack.simulator.webFault(answer, user.devices[0]);
    const { status, attempts } = await stack.settled(await stack.send(user));
    assert.equal(status, 'FAILED');
    assert.deepEqual(statuses(attempts), ['TOKEN_GONE']);
    await eventually(async () => !(await stack.simulator.device(user.devices[0])).device.is_active, 5000,
      'the device is inactive');
  }
});

test('What is not about the subscription gives up no token.', async () => {
  for (const answer of [{ status: 400 }, { status: 413 }, { status: 307 }]) {
    const user = await stack.webUser();
    await stack.simulator.webFault(answer, user.devices[0]);
    const { status } = await stack.settled(await stack.send(user));
    assert.equal(status, 'FAILED');
    assert.equal((await stack.simulator.device(user.devices[0])).device.is_active, true);
  }
});

test('A push service that is busy or breaks is asked again.', async () => {
  for (const fault of [{ status: 429, retry_after: 1 }, { status: 503 }, { cut: 'before' }, { hang: true },
    { refuse_stream: true }, { goaway: true }]) {
    const user = await stack.webUser();
    await stack.simulator.webFault(fault, user.devices[0]);
    const id = await stack.send(user);
    await eventually(async () => (await stack.simulator.device(user.devices[0])).accepted === 1, 15_000,
      `delivered after ${JSON.stringify(fault)}`);
    assert.equal((await stack.settled(id)).status, 'DELIVERED');
  }
});

test('A subscription of another VAPID key is refused by the push service, and given up.', async () => {
  const user = await stack.webUser({ vapid_key: webPush.generateVAPIDKeys().publicKey });
  const { attempts } = await stack.settled(await stack.send(user));
  assert.deepEqual(statuses(attempts), ['TOKEN_GONE']);
  assert.match(attempts[0].error_code, /VapidPkHashMismatch/);
});

test('Nothing is sent to hosts that no list names, and their tokens are kept.', async () => {
  const keys = { p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url') };
  const { port } = new URL(JSON.parse((await stack.webUser()).devices[0].token).endpoint);
  const { requests } = (await stack.simulator.stats()).webpush;
  for (const endpoint of ['https://169.254.169.254/latest/meta-data', `https://127.0.0.1:${port}/wp/x`,
    'https://localhost/wp/x', 'http://localhost/x', `https://user@localhost:${port}/wp/x`,
    'https://fcm.googleapis.com.evil.example/x']) {
    const token = JSON.stringify({ endpoint, keys });
    const user = await stack.user({ platform: 'web', token, app_id: '' });
    const id = await stack.send(user);
    const { status, attempts } = await stack.settled(id);
    assert.equal(status, 'FAILED', endpoint);
    assert.deepEqual(statuses(attempts), ['FAILED'], endpoint);
    assert.match(await explain(id), /endpoint/, endpoint);
  }
  assert.equal((await stack.simulator.stats()).webpush.requests, requests, 'nobody was asked');
});

/** A push service of this file: { port, requests }, each request { headers, body }. */
async function ownPushService() {
  const simulator = path.join(stack.dir, 'simulator');
  const server = http2.createSecureServer({ cert: fs.readFileSync(path.join(simulator, 'server.pem')),
    key: fs.readFileSync(path.join(simulator, 'server.key')) });
  const requests = [];
  server.on('stream', (stream, headers) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      requests.push({ headers, body: Buffer.concat(chunks) });
      stream.respond({ ':status': 201 });
      stream.end();
    });
  });
  await new Promise((resolve) => { server.listen(0, 'localhost', resolve); });
  return { server, requests, port: server.address().port };
}

test('http_ece decrypts what is sent, Node verifies the token, and web-push sends the same fields.', async () => {
  const own = await ownPushService();
  assert.equal(await stack.endService(), 0);
  stack.settings.NOTIFY_WEBPUSH_ALLOWED_HOSTS = `localhost:${own.port}`;
  await stack.startService();
  try {
    const browser = createECDH('prime256v1');
    const subscription = {
      endpoint: `https://localhost:${own.port}/push/${randomUUID()}`,
      keys: { p256dh: browser.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') },
    };
    const user = await stack.user({ platform: 'web', token: JSON.stringify(subscription), app_id: '' });
    const id = await stack.send(user, { title: 'Hello', body: 'ü'.repeat(400), collapse_id: 'c' });
    assert.equal((await stack.settled(id)).status, 'DELIVERED');
    const [{ headers, body }] = own.requests;

    const text = ece.decrypt(body, { version: 'aes128gcm', privateKey: browser,
      authSecret: subscription.keys.auth });
    assert.equal(JSON.parse(text).notification.title, 'Hello');
    assert.equal(JSON.parse(text).notification.data.notification_id, id);

    const [, jwt, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers.authorization);
    const [head, claims, signature] = jwt.split('.');
    const point = Buffer.from(key, 'base64url');
    const publicKey = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') } });
    assert.ok(verify('sha256', `${head}.${claims}`, { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url')));
    const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url'));
    assert.equal(aud, `https://localhost:${own.port}`);
    assert.equal(sub, 'mailto:push@whispr.example');
    assert.ok(exp > Date.now() / 1000 && exp <= Date.now() / 1000 + 24 * 3600);

    // The same message by the library that most senders use.
    const vapid = webPush.generateVAPIDKeys();
    const theirs = webPush.generateRequestDetails(subscription, text, { TTL: Number(headers.ttl),
      urgency: 'normal', topic: headers.topic, contentEncoding: 'aes128gcm',
      vapidDetails: { subject: sub, ...vapid } });
    const fields = Object.fromEntries(Object.entries(theirs.headers)
      .map(([name, value]) => [name.toLowerCase(), String(value)]));
    for (const name of ['ttl', 'urgency', 'topic', 'content-encoding', 'content-type']) {
      assert.equal(headers[name], fields[name], name);
    }
    assert.match(fields.authorization, /^vapid t=[\w.-]+, k=[\w-]+$/, 'one form of it');
    assert.deepEqual(Object.keys(fields).filter((name) => !(name in headers) && name !== 'content-length'), []);
    assert.equal(body.length, theirs.body.length);
  } finally {
    own.server.close();
  }
});

test('The log holds no endpoint, key, title or body.', () => {
  assert.deepEqual(stack.leaks(), []);
});
