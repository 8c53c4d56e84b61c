// The way of a notification from the call to the device, over real sockets.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack, appId, eventually, root, run } from './stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({
    NOTIFY_DELIVER_RETRY_DELAYS: '1s,1s,1s,1s,1s',
    NOTIFY_APNS_REQUEST_TIMEOUT: '1500ms',
    NOTIFY_DELIVER_REPORT_DELAY: '100ms',
    NOTIFY_RECOVER_SWEEP_INTERVAL: '1s',
  });
});
after(() => stack?.stop());

const at = (timestamp) => timestamp.seconds * 1000 + timestamp.nanos / 1e6;
const inMs = (ms) => {
  const time = Date.now() + ms;
  return { seconds: Math.floor(time / 1000), nanos: (time % 1000) * 1e6 };
};
const statuses = (attempts) => attempts.map((attempt) => attempt.status.replace('ATTEMPT_STATUS_', ''));

test('A notification is delivered, and its record tells when and to which device.', async () => {
  const user = await stack.user({});
  const request = stack.request(user, { labels: { campaign: 'autumn' }, data: { chat: '42' } });
  const answer = await stack.client.call('SendNotification', request);
  assert.equal(answer.status, 'NOTIFICATION_STATUS_PENDING');
  assert.ok(Math.abs(at(answer.created_at) - Date.now()) < 5000, 'created now');
  assert.equal(at(answer.expires_at) - at(answer.created_at), 4 * 3600 * 1000, 'a message lives 4 hours');

  const { status, notification, attempts } = await stack.settled(answer.notification_id);
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['DELIVERED']);
  assert.equal(attempts[0].device_id, user.devices[0].id);
  assert.equal(attempts[0].retry_count, 0);
  assert.equal(attempts[0].next_retry_at, null);
  assert.ok(at(notification.sent_at) >= at(notification.created_at));
  assert.ok(at(notification.delivered_at) >= at(notification.sent_at));
  assert.equal(notification.opened_at, null);
  assert.equal(notification.expired_at, null);
  for (const field of ['user_id', 'type', 'title', 'body', 'data', 'labels']) {
    assert.deepEqual(notification[field], request[field], field);
  }
  assert.equal(notification.priority, 'PRIORITY_MEDIUM', 'the default');
});

test('Apple receives every field in its place.', async () => {
  const user = await stack.user({});
  const expires = inMs(3600_000);
  const conversation = randomUUID();
  const fields = {
    conversation_id: conversation,
    message_id: randomUUID(),
    title: 'Zoë "quoted" \\ 日本語 🎉\ttab',
    body: 'two\nlines </script> \u2028',
    data: { chat_id: '42', 'a.b-c_d': 'ümlaut "x"' },
    labels: { secret: 'label' },
    priority: 'PRIORITY_HIGH',
    expires_at: expires,
    collapse_id: 'chat-42',
    badge: 7,
    sound: 'ping.caf',
    category: 'MESSAGE',
    mutable_content: true,
  };
  const id = await stack.send(user, fields);
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
  const received = await stack.simulator.received(user.devices[0]);
  assert.equal(received.length, 1);
  const [push] = received;
  assert.equal(push.status, 200);
  assert.equal(push.topic, appId);
  assert.equal(push.push_type, 'alert');
  assert.equal(push.priority, '10');
  assert.equal(push.expiration, String(expires.seconds));
  assert.equal(push.collapse_id, 'chat-42');
  assert.match(push.apns_id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual(push.payload, {
    aps: {
      alert: { title: fields.title, body: fields.body },
      badge: 7,
      sound: 'ping.caf',
      'thread-id': conversation,
      category: 'MESSAGE',
      'mutable-content': 1,
    },
    notification_id: id,
    chat_id: '42',
    'a.b-c_d': 'ümlaut "x"',
  });
});

test('What is not set does not reach the device, and a badge of 0 does.', async () => {
  const user = await stack.user({});
  const id = await stack.send(user, { title: 'Only a title', body: '', badge: 0 });
  await stack.settled(id);
  const [push] = await stack.simulator.received(user.devices[0]);
  assert.deepEqual(push.payload,
    { aps: { alert: { title: 'Only a title' }, badge: 0 }, notification_id: id });
  assert.equal(push.collapse_id, '');
});

for (const [priority, expected] of Object.entries(
  { PRIORITY_UNSPECIFIED: '10', PRIORITY_MEDIUM: '10', PRIORITY_LOW: '5' })) {
  test(`${priority} becomes apns-priority ${expected}.`, async () => {
    const user = await stack.user({});
    await stack.settled(await stack.send(user, { priority }));
    const [push] = await stack.simulator.received(user.devices[0]);
    assert.equal(push.priority, expected);
  });
}

test('A background notification shows nothing: priority 5 and content-available.', async () => {
  const user = await stack.user({});
  const id = await stack.send(user,
    { background: true, title: '', body: '', priority: 'PRIORITY_HIGH', data: { sync: '1' } });
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
  const [push] = await stack.simulator.received(user.devices[0]);
  assert.equal(push.push_type, 'background');
  assert.equal(push.priority, '5');
  assert.deepEqual(push.payload, { aps: { 'content-available': 1 }, notification_id: id, sync: '1' });
});

test('The longest title, body and data that are allowed are delivered.', async () => {
  const user = await stack.user({});
  const id = await stack.send(user, { title: 'é'.repeat(255), body: 'b'.repeat(2048), data: { k: 'v'.repeat(1000) } });
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
});

test('With two devices, one of them dead, it is delivered, and the dead one is reported.', async () => {
  const user = await stack.user({}, { dead: true });
  const [alive, dead] = user.devices;
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  const byDevice = Object.fromEntries(attempts.map((attempt) => [attempt.device_id, attempt]));
  assert.equal(byDevice[alive.id].status, 'ATTEMPT_STATUS_DELIVERED');
  assert.equal(byDevice[dead.id].status, 'ATTEMPT_STATUS_TOKEN_GONE');
  assert.equal(byDevice[dead.id].error_code, '410 Unregistered');
  await eventually(async () => !(await stack.simulator.device(dead)).device.is_active, 5000,
    'auth-service knows that the token is dead');
  assert.equal((await stack.simulator.device(alive)).device.is_active, true);

  await stack.settled(await stack.send(user));
  assert.equal((await stack.simulator.received(dead)).length, 1, 'a dead token is not tried again');
  assert.equal((await stack.simulator.received(alive)).length, 2);
});

test('With only a dead token it fails, with 410 as the reason.', async () => {
  const user = await stack.user({ dead: true });
  const { status, notification, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'FAILED');
  assert.deepEqual(statuses(attempts), ['TOKEN_GONE']);
  assert.equal(attempts[0].error_code, '410 Unregistered');
  assert.equal(attempts[0].next_retry_at, null);
  assert.equal(notification.delivered_at, null);
});

test('A user without devices: it fails without an attempt.', async () => {
  const { status, attempts } = await stack.settled(await stack.send(await stack.user()));
  assert.equal(status, 'FAILED');
  assert.deepEqual(attempts, []);
});

test('After a 503 with Retry-After it waits that long, then delivers with the same apns-id.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault(
    { status: 503, reason: 'ServiceUnavailable', retry_after: 2 }, user.devices[0]);
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['RETRY', 'DELIVERED']);
  assert.equal(attempts[0].error_code, '503 ServiceUnavailable');
  assert.deepEqual(attempts.map((attempt) => attempt.retry_count), [0, 1]);
  const planned = at(attempts[0].next_retry_at) - at(attempts[0].attempted_at);
  assert.ok(planned >= 2000 && planned <= 2500, `planned after ${planned} ms`);
  const received = await stack.simulator.received(user.devices[0]);
  assert.deepEqual(received.map((push) => push.status), [503, 200]);
  assert.equal(received[0].apns_id, received[1].apns_id);
  assert.deepEqual(received[0].payload, received[1].payload);
  const waited = Date.parse(received[1].at) - Date.parse(received[0].at);
  assert.ok(waited >= 2000, `waited ${waited} ms`);
});

test('A 429 for one of two devices is retried at that device only.', async () => {
  const user = await stack.user({}, {});
  const [slow, quick] = user.devices;
  await stack.simulator.fault({ status: 429, reason: 'TooManyRequests' }, slow);
  const id = await stack.send(user);
  await eventually(async () => (await stack.simulator.device(slow)).accepted === 1);
  assert.equal((await stack.simulator.received(slow)).length, 2);
  assert.equal((await stack.simulator.received(quick)).length, 1);
  await eventually(async () => (await stack.get(id)).attempts.length === 3);
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
});

test('When every retry is refused it fails, with all six attempts on record.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ status: 500, reason: 'InternalServerError', count: -1 }, user.devices[0]);
  const id = await stack.send(user);
  // It takes five delays of a second: the next tests need not wait for it.
  const { status, attempts } = await stack.settled(id, 20_000);
  assert.equal(status, 'FAILED');
  assert.deepEqual(statuses(attempts), ['RETRY', 'RETRY', 'RETRY', 'RETRY', 'RETRY', 'FAILED']);
  await stack.simulator.clearFaults();
});

for (const [name, fault] of Object.entries({
  'The provider winds up the connection (GOAWAY)': { goaway: true, reason: 'Shutdown' },
  'The provider refuses the stream': { refuse_stream: true },
  'The connection breaks before the provider has accepted it': { cut: 'before' },
})) {
  test(`${name}: it is delivered exactly once.`, async () => {
    const user = await stack.user({});
    await stack.simulator.fault(fault, user.devices[0]);
    const id = await stack.send(user);
    const { status, attempts } = await stack.settled(id);
    assert.equal(status, 'DELIVERED');
    assert.equal(statuses(attempts).at(-1), 'DELIVERED');
    const { accepted, ids } = await stack.simulator.device(user.devices[0]);
    assert.equal(accepted, 1);
    const received = await stack.simulator.received(user.devices[0]);
    assert.equal(received.length, 2);
    assert.ok(received.every((push) => push.apns_id === ids[0]), 'the same apns-id on every try');
  });
}

test('The connection breaks after the provider has accepted it: unknown, then again with the same apns-id.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ cut: 'after' }, user.devices[0]);
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['UNKNOWN', 'DELIVERED']);
  assert.ok(attempts[0].next_retry_at);
  const { accepted, ids } = await stack.simulator.device(user.devices[0]);
  assert.equal(accepted, 2);
  assert.equal(ids[0], ids[1], 'Apple can tell that it is the same');
});

test('A provider that never answers is given up in time, and the attempt is unknown.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ hang: true }, user.devices[0]);
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['UNKNOWN', 'DELIVERED']);
});

test('A retry that would come after the expiry is not planned: it fails at once.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault(
    { status: 503, reason: 'ServiceUnavailable', retry_after: 3, count: -1 }, user.devices[0]);
  const { status, attempts } = await stack.settled(await stack.send(user, { expires_at: inMs(1000) }));
  assert.equal(status, 'FAILED');
  assert.deepEqual(statuses(attempts), ['FAILED']);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 1);
  await stack.simulator.clearFaults();
});

test('A provider that is silent until the expiry: sent, as nobody knows whether it arrived.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ hang: true, count: -1 }, user.devices[0]);
  const { status, notification, attempts } = await stack.settled(
    await stack.send(user, { expires_at: inMs(1000) }));
  assert.equal(status, 'SENT');
  assert.deepEqual(statuses(attempts), ['UNKNOWN']);
  assert.equal(attempts[0].next_retry_at, null);
  assert.ok(notification.sent_at);
  assert.equal(notification.delivered_at, null);
  await stack.simulator.clearFaults();
});

test('Nobody tells the devices before the expiry: expired, with the time, and never sent.', async () => {
  const user = await stack.user({});
  await stack.simulator.authFault({ grpc_status: 'UNAVAILABLE', method: 'GetUserDevices' });
  const { status, notification, attempts } = await stack.settled(
    await stack.send(user, { expires_at: inMs(1000) }));
  assert.equal(status, 'EXPIRED');
  assert.ok(at(notification.expired_at) >= at(notification.expires_at));
  assert.deepEqual(attempts, []);
  assert.deepEqual(await stack.simulator.received(user.devices[0]), []);
});

test('A device of another platform fails by itself and does not hold up the others.', async () => {
  const user = await stack.user({}, { platform: 'android', token: 'an:opaque-token' });
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts).sort(), ['DELIVERED', 'TOKEN_GONE']);
});

test('The example caller sends a notification and prints what became of it.', async () => {
  const directory = path.join(root, 'examples');
  if (!existsSync(path.join(directory, 'node_modules'))) {
    const installed = await run('npm', ['ci', '--silent'], { cwd: directory });
    assert.equal(installed.code, 0, installed.stderr);
  }
  const example = (userId, title, body) => run(process.execPath,
    [path.join(directory, 'send-notification.mjs'), stack.address, userId, title, body]);
  const user = await stack.user({}, { dead: true });

  const sent = await example(user.id, 'Dora', 'Are you coming tonight?');
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(sent.stdout, /^accepted: [0-9a-f-]{36}$/m);
  assert.match(sent.stdout, new RegExp(`device ${user.devices[0].id}: ATTEMPT_STATUS_DELIVERED`));
  assert.match(sent.stdout, /ATTEMPT_STATUS_TOKEN_GONE \(410 Unregistered: .+\)/);
  assert.match(sent.stdout, /^status: NOTIFICATION_STATUS_DELIVERED$/m);

  const refused = await example('nobody', 'x'.repeat(256), 'Body');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refused: INVALID_ARGUMENT/);
  assert.match(refused.stderr, /reason: INVALID_REQUEST \(notification\.whispr\)/);
  assert.match(refused.stderr, /^ {2}user_id: must be a UUID/m);
  assert.match(refused.stderr, /^ {2}title: is 256 characters long/m);

  const undelivered = await example((await stack.user()).id, 'Title', 'Body');
  assert.equal(undelivered.code, 1);
  assert.match(undelivered.stdout, /^status: NOTIFICATION_STATUS_FAILED$/m);

  assert.equal((await run(process.execPath, [path.join(directory, 'send-notification.mjs')])).code, 2);
});

test('No log holds a token, a title, a body or a user id.', () => {
  assert.ok(stack.secrets.size > 20);
  assert.deepEqual(stack.leaks(), []);
});
