// A real browser receives: Firefox subscribes through the simulator's push server, decrypts what the
// service has sent, and its service worker shows it.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Firefox } from './firefox.mjs';
import { Stack, eventually } from './stack.mjs';

let stack;
let firefox;
let user;
let device;
before(async () => {
  stack = await Stack.start({ NOTIFY_DELIVER_REPORT_DELAY: '100ms' });
  firefox = await Firefox.start(JSON.parse(stack.read('simulator/ports.json')).browser);
  const token = await firefox.subscribe(publicKey());
  user = await stack.userOfBrowser(token, JSON.parse(token).endpoint.split('/').pop());
  [device] = user.devices;
});
after(async () => {
  await firefox?.stop();
  await stack?.stop();
});

/** The VAPID key with which the service signs, as browsers want it: the uncompressed point. */
function publicKey() {
  const { x, y } = createPublicKey(stack.read('vapid-key.pem')).export({ format: 'jwk' });
  const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return Buffer.concat(point).toString('base64url');
}

/** Sends it, waits until Firefox shows it and has acknowledged it, and returns its id. */
async function deliver(fields) {
  const { browser: { acks } } = await stack.simulator.device(device);
  const id = await stack.send(user, fields);
  await eventually(async () => (await shownOf(id)).length === 1, 30_000, 'Firefox shows it');
  await eventually(async () => {
    const { browser } = await stack.simulator.device(device);
    return browser.waiting === 0 && browser.acks[100] === (acks[100] ?? 0) + 1;
  }, 5000, 'Firefox acknowledges it');
  return id;
}

const shownOf = async (id) => (await firefox.shown()).filter((one) => one.data.notification_id === id);

test('Firefox decrypts a notification, its service worker shows it, and Firefox acknowledges.', async () => {
  const fields = { title: 'Zoë 🎉', body: 'two\nlines', data: { chat: '42' } };
  const id = await deliver(fields);
  const [shown] = await shownOf(id);
  assert.deepEqual(shown,
    { title: fields.title, body: fields.body, tag: id, data: { notification_id: id, chat: '42' } });

  const { status, attempts } = await stack.settled(id);
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(attempts.map((attempt) => attempt.status), ['ATTEMPT_STATUS_DELIVERED']);
  const [line] = await stack.simulator.received(device);
  assert.equal(line.status, 201);
  assert.equal(line.payload, '', 'only Firefox can read it');
});

test('The declarative form is what the service worker reads.', async () => {
  const id = await deliver({ title: 'Declared and read' });
  const payload = firefox.pushed.find((one) => one.notification.data.notification_id === id);
  assert.equal(payload.web_push, 8030);
  assert.equal(payload.notification.title, 'Declared and read');
  assert.equal(payload.notification.navigate, 'https://app.whispr.example/');
});

test('A notification with as much text as there may be is decrypted.', async () => {
  const fields = { title: 'ü'.repeat(200), body: 'ß'.repeat(1000), data: { more: 'x'.repeat(1000) } };
  const [shown] = await shownOf(await deliver(fields));
  assert.equal(shown.title, fields.title);
  assert.ok(fields.body.startsWith(shown.body.replace(/…$/, '')));
});

test('The second of a collapse group replaces the first.', async () => {
  const first = await deliver({ body: 'The first of two', collapse_id: 'chat-7' });
  const second = await deliver({ body: 'The second of two', collapse_id: 'chat-7' });
  const shown = (await firefox.shown()).filter((one) => one.tag === 'chat-7');
  assert.deepEqual(shown.map((one) => one.body), ['The second of two']);
  assert.deepEqual(await shownOf(first), []);
  assert.equal((await shownOf(second)).length, 1);
});

test('A notification waits for a browser that is away.', async () => {
  await stack.simulator.call('POST', '/browsers/disconnect');
  assert.equal((await stack.simulator.device(device)).browser.connected, false);
  await deliver({});
  assert.equal((await stack.simulator.device(device)).browser.connected, true);
});

test('No service worker has failed, and no message was lost or sent twice.', async () => {
  const { browsers } = await stack.simulator.stats();
  assert.deepEqual(browsers.nacks, {});
  assert.deepEqual(browsers.acks, { 100: firefox.pushed.length });
  assert.equal(browsers.sent, firefox.pushed.length);
});

test('A subscription that Firefox has ended is gone: given up, and auth-service is told.', async () => {
  assert.equal(await firefox.unsubscribe(), true);
  await eventually(async () => !(await stack.simulator.device(device)).browser.registered, 5000,
    'the channel is unregistered');
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'FAILED');
  assert.deepEqual(attempts.map((attempt) => attempt.status), ['ATTEMPT_STATUS_TOKEN_GONE']);
  await eventually(async () => !(await stack.simulator.device(device)).device.is_active, 5000,
    'the device is inactive');
});

test('The log holds no endpoint, key, title or body.', () => {
  assert.deepEqual(stack.leaks(), []);
});
