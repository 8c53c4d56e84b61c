// Devices that are registered with Firebase Cloud Messaging, over real sockets: from the call to Google's
// answer, and what is done about it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Stack, eventually, fcmToken } from './stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({
    NOTIFY_DELIVER_RETRY_DELAYS: '1s,1s,1s,1s,1s',
    NOTIFY_DELIVER_REPORT_DELAY: '100ms', // the brake's wait
    NOTIFY_FCM_REQUEST_TIMEOUT: '1500ms',
  });
});
after(() => stack?.stop());

const statuses = (attempts) => attempts.map((attempt) => attempt.status.replace('ATTEMPT_STATUS_', ''));
const android = { platform: 'android' };
const fcmStats = async () => (await stack.simulator.stats()).fcm;

test('An Android device receives every field in its place, and explain names FCM.', async () => {
  const user = await stack.user(android);
  const fields = {
    conversation_id: randomUUID(),
    title: 'Zoë "quoted" \\ 日本語 🎉\ttab',
    body: 'two\nlines </script> \u2028',
    data: { ciphertext: 'q83vEjRWeJA=', 'a.b-c_d': 'ümlaut "x"' },
    priority: 'PRIORITY_HIGH',
    collapse_id: 'chat-42',
    badge: 7,
    sound: 'ping',
  };
  const id = await stack.send(user, fields);
  const { status, attempts } = await stack.settled(id);
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['DELIVERED']);
  const [push] = await stack.simulator.received(user.devices[0]);
  assert.equal(push.provider, 'fcm');
  const { message } = push.payload;
  const { ttl } = message.android;
  assert.match(ttl, /^143\d\ds$|^14400s$/, 'a message lives 4 hours');
  assert.deepEqual(message, {
    notification: { title: fields.title, body: fields.body },
    data: { notification_id: id, ...fields.data },
    android: {
      priority: 'HIGH',
      ttl,
      notification: {
        tag: 'chat-42',
        channel_id: 'message',
        sound: 'ping',
        default_vibrate_timings: true,
        notification_count: 7,
        notification_priority: 'PRIORITY_HIGH',
      },
    },
    token: user.devices[0].token,
  });
  const explained = await stack.program(['explain', id]);
  assert.equal(explained.code, 0, explained.stderr);
  assert.match(explained.stdout, /device \S+, fcm: the provider accepted it/);
});

test('A background notification is data alone.', async () => {
  const user = await stack.user(android);
  const id = await stack.send(user, { background: true, title: '', body: '', data: { sync: '1' } });
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
  const [push] = await stack.simulator.received(user.devices[0]);
  assert.deepEqual(push.payload.message.data, { notification_id: id, sync: '1' });
  assert.equal(push.payload.message.notification, undefined);
  assert.equal(push.payload.message.android.priority, 'NORMAL');
});

test('Devices of three platforms that are registered with FCM receive, and one with a token of Apple\'s goes to Apple.',
  async () => {
    const user = await stack.user(android, { platform: 'ios', token: fcmToken() },
      { platform: 'web', token: fcmToken() }, {});
    const id = await stack.send(user, { sound: 'default' });
    const { status, attempts } = await stack.settled(id);
    assert.equal(status, 'DELIVERED');
    assert.deepEqual(statuses(attempts), ['DELIVERED', 'DELIVERED', 'DELIVERED', 'DELIVERED']);
    const providers = [];
    for (const device of user.devices) providers.push((await stack.simulator.received(device))[0].provider);
    assert.deepEqual(providers, ['fcm', 'fcm', 'fcm', 'apns']);
    const [ios] = await stack.simulator.received(user.devices[1]);
    assert.equal(ios.payload.message.apns.payload.aps.sound, 'default');
    const [web] = await stack.simulator.received(user.devices[2]);
    assert.equal(web.payload.message.webpush.headers.Urgency, 'normal');
  });

test('The app was removed: the token is reported, and not tried again.', async () => {
  const user = await stack.user(android, { ...android, dead: true });
  const [alive, dead] = user.devices;
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  const gone = attempts.find((attempt) => attempt.device_id === dead.id);
  assert.equal(gone.status, 'ATTEMPT_STATUS_TOKEN_GONE');
  assert.equal(gone.error_code, '404 UNREGISTERED');
  await eventually(async () => !(await stack.simulator.device(dead)).device.is_active, 5000,
    'auth-service knows that the token is dead');
  assert.equal((await stack.simulator.device(alive)).device.is_active, true);
  await stack.settled(await stack.send(user));
  assert.equal((await stack.simulator.received(dead)).length, 1);
});

test('A refused access token is renewed, once, and the message sent again.', async () => {
  const user = await stack.user(android);
  await stack.settled(await stack.send(user));
  await stack.simulator.fcmFault({ status: 401, reason: 'UNAUTHENTICATED' }, user.devices[0]);
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['DELIVERED'], 'one try, as far as the record goes');
  const received = await stack.simulator.received(user.devices[0]);
  assert.deepEqual(received.map((one) => one.status), [200, 401, 200]);
});

test('What FCM calls a trouble of the moment is tried again when it says.', async () => {
  for (const [httpStatus, reason] of [[429, 'QUOTA_EXCEEDED'], [503, 'UNAVAILABLE'], [500, 'INTERNAL']]) {
    const user = await stack.user(android);
    await stack.simulator.fcmFault({ status: httpStatus, reason, retry_after: 1 }, user.devices[0]);
    const { status, attempts } = await stack.settled(await stack.send(user));
    assert.equal(status, 'DELIVERED', reason);
    assert.deepEqual(statuses(attempts), ['RETRY', 'DELIVERED'], reason);
    assert.equal(attempts[0].error_code, `${httpStatus} ${reason}`);
    const { payload: first } = (await stack.simulator.received(user.devices[0]))[0];
    const { payload: second } = (await stack.simulator.received(user.devices[0]))[1];
    assert.equal(first.message.android.notification.tag, second.message.android.notification.tag,
      'the second replaces the first');
  }
});

test('What is our fault drops no token.', async () => {
  for (const [httpStatus, reason] of [[401, 'THIRD_PARTY_AUTH_ERROR'], [403, 'PERMISSION_DENIED'], [400, 'INVALID_ARGUMENT']]) {
    const user = await stack.user(android);
    await stack.simulator.fcmFault({ status: httpStatus, reason }, user.devices[0]);
    await stack.settled(await stack.send(user));
    assert.equal((await stack.simulator.device(user.devices[0])).device.is_active, true, reason);
  }
});

test('The connection breaks or refuses: sent again, and told apart by whether it may have arrived.', async () => {
  const user = await stack.user(android);
  for (const fault of [{ refuse_stream: true }, { goaway: true }]) {
    await stack.simulator.fcmFault(fault, user.devices[0]);
    const { status, attempts } = await stack.settled(await stack.send(user));
    assert.equal(status, 'DELIVERED');
    assert.deepEqual(statuses(attempts), ['DELIVERED']);
  }
  await stack.simulator.fcmFault({ cut: 'after' }, user.devices[0]);
  const { status, attempts } = await stack.settled(await stack.send(user));
  assert.equal(status, 'DELIVERED');
  assert.deepEqual(statuses(attempts), ['UNKNOWN', 'DELIVERED']);
});

test('A flood to generated devices arrives, each once.', async () => {
  await stack.simulator.call('POST', '/devices/generate', { users: 200, seed: 77, platform: 'android' });
  const before = (await fcmStats()).notifications_distinct;
  const ids = [];
  for (let i = 0; i < 200; i++) {
    const user = { id: `0000004d-0000-4000-8000-${i.toString(16).padStart(12, '0')}` };
    ids.push(await stack.send(user));
  }
  assert.deepEqual(await stack.allSettled(ids), { delivered: 200 });
  const stats = await fcmStats();
  assert.equal(stats.notifications_distinct - before, 200);
});

test('Metrics tell FCM from APNs.', async () => {
  const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
  assert.match(metrics, /notification_provider_operations_total\{provider="fcm"\} [1-9]/);
  assert.match(metrics, /notification_provider_outcomes_total\{outcome="token_gone",provider="fcm"\} 1|notification_provider_outcomes_total\{provider="fcm",outcome="token_gone"\} 1/);
});

test('No token and no text reaches a log.', () => assert.deepEqual(stack.leaks(), []));
