// What is to come later comes in its time, and what is taken back does not come at all.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stack, eventually } from './stack.mjs';

let stack;
// Sweeps are as rare as they are shipped: what comes due between two of them must not wait.
before(async () => {
  stack = await Stack.start({ NOTIFY_DELIVER_RETRY_DELAYS: '3s' });
  // In a young epoch, as just after a start of Redis, nothing is promoted.
  await eventually(async () => await stack.redis('HGET', '{notification:queue:medium}:epoch', 'whole') === '1', 20_000);
});
after(() => stack?.stop());

const at = (timestamp) => timestamp.seconds * 1000 + timestamp.nanos / 1e6;
const inMs = (ms) => {
  const time = Date.now() + ms;
  return { seconds: Math.floor(time / 1000), nanos: (time % 1000) * 1e6 };
};
const send = (user, fields) => stack.client.call('SendNotification', stack.request(user, fields));
const cancel = async (id) => {
  const { result, status } = await stack.client.call('CancelNotification', { notification_id: id });
  return [result.replace('CANCEL_RESULT_', ''), status.replace('NOTIFICATION_STATUS_', '')];
};

test('What is scheduled comes in its time, and not before.', async () => {
  const user = await stack.user({});
  const deliver_at = inMs(3000);
  const answer = await send(user, { deliver_at });
  assert.equal(answer.status, 'NOTIFICATION_STATUS_DEFERRED');
  assert.equal(at(answer.expires_at) - at(deliver_at), 4 * 3600 * 1000, 'it lives from then on');
  await sleep(at(deliver_at) - Date.now() - 200);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 0);
  const { notification } = await eventually(async () => {
    const story = await stack.get(answer.notification_id);
    return story.notification.status === 'NOTIFICATION_STATUS_DELIVERED' && story;
  });
  const late = at(notification.delivered_at) - at(deliver_at);
  assert.ok(late >= 0 && late < 1500, `delivered ${late} ms after its time`);
  assert.equal(notification.later_decision.verdict, 'VERDICT_DELIVER');
  assert.ok(at(notification.later_decision.decided_at) >= at(deliver_at));
});

test('What waits for its time says so.', async () => {
  const user = await stack.user({});
  const deliver_at = inMs(3600_000);
  const { notification_id: id } = await send(user, { deliver_at });
  const { notification } = await stack.get(id);
  assert.equal(at(notification.deliver_at), at(deliver_at));
  assert.equal(notification.decision.rule, 'deliver_at');
  const shown = await stack.program(['explain', id]);
  assert.match(shown.stdout, /scheduled for .*\n(.*\n)*.*waiting: the time it was scheduled for/);
});

test('A time that has passed means at once; one that is too far ahead is refused.', async () => {
  const user = await stack.user({});
  const answer = await send(user, { deliver_at: inMs(-60_000) });
  assert.equal(answer.status, 'NOTIFICATION_STATUS_PENDING');
  assert.equal((await stack.settled(answer.notification_id)).status, 'DELIVERED');
  const refused = (fields, names) => assert.rejects(send(user, fields),
    (error) => { assert.deepEqual(error.fields, names); return true; });
  await refused({ deliver_at: inMs(29 * 86_400_000) }, ['deliver_at']);
  await refused({ deliver_at: { seconds: 0, nanos: -1 } }, ['deliver_at']);
  await refused({ deliver_at: inMs(60_000), expires_at: inMs(30_000) }, ['expires_at']);
});

test('A scheduled request that comes again is one; for another time it is another.', async () => {
  const user = await stack.user({});
  const request = stack.request(user, { deliver_at: inMs(3600_000) });
  const first = await stack.client.call('SendNotification', request);
  const again = await stack.client.call('SendNotification', request);
  assert.equal(again.notification_id, first.notification_id);
  assert.equal(again.is_repeat, true);
  const other = await stack.client.call('SendNotification', { ...request, deliver_at: inMs(7200_000) });
  assert.notEqual(other.notification_id, first.notification_id);
});

test('What is scheduled can be taken back, also shortly before its time.', async () => {
  const user = await stack.user({});
  const ids = [];
  for (const ahead of [1500, 3600_000]) ids.push((await send(user, { deliver_at: inMs(ahead) })).notification_id);
  for (const id of ids) {
    assert.deepEqual(await cancel(id), ['CANCELLED', 'CANCELLED']);
    assert.deepEqual(await cancel(id), ['CANCELLED', 'CANCELLED']);
  }
  await sleep(3000);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 0);
  const { notification } = await stack.get(ids[0]);
  assert.ok(notification.cancelled_at);
  assert.equal(notification.later_decision.rule, 'lifetime');
  assert.equal(notification.later_decision.reasons[0].input, 'it was cancelled');
  assert.equal(await stack.sql('SELECT count(*) FROM due WHERE notification_id '
    + `IN (${ids.map((id) => `'${id}'`).join(',')})`), '0');
});

test('What waits for the end of quiet hours can be taken back.', async () => {
  const user = await stack.user({});
  const clock = (hours) => new Date(Date.now() + hours * 3600_000).toISOString().slice(11, 16);
  await stack.client.callPreferences('UpdateUserSettings', {
    user_id: user.id,
    settings: { quiet_hours: { enabled: true, start: clock(-1), end: clock(1), timezone: 'UTC', mode: 'QUIET_HOURS_MODE_DEFER' } },
  });
  const { notification_id: id, status } = await send(user);
  assert.equal(status, 'NOTIFICATION_STATUS_DEFERRED');
  assert.deepEqual(await cancel(id), ['CANCELLED', 'CANCELLED']);
});

test('While the provider is away, what is to be tried again is not.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ status: 503, reason: 'ServiceUnavailable' }, user.devices[0]);
  const { notification_id: id } = await send(user);
  await eventually(async () => (await stack.get(id)).attempts.length === 1);
  assert.deepEqual(await cancel(id), ['CANCELLED', 'CANCELLED']);
  await sleep(4500);
  const { attempts } = await stack.get(id);
  assert.equal(attempts.length, 1);
});

test('What waits in the queue behind others is taken back, and only that.', async () => {
  const user = await stack.user({});
  // More than a worker takes of one user (32), and the first take their time.
  await stack.simulator.fault({ delay_ms: 1500, count: 9 }, user.devices[0]);
  const ids = [];
  for (let i = 0; i < 40; ++i) ids.push((await send(user, { message_id: randomUUID() })).notification_id);
  await eventually(async () => (await cancel(ids.at(-1)))[0] === 'CANCELLED');
  assert.deepEqual(await stack.allSettled(ids), { cancelled: 1, delivered: 39 });
  await sleep(1000);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 39);
});

test('What is delivered is delivered.', async () => {
  const user = await stack.user({});
  const { notification_id: id } = await send(user);
  await stack.settled(id);
  assert.deepEqual(await cancel(id), ['TOO_LATE', 'DELIVERED']);
  assert.equal((await stack.get(id)).notification.cancelled_at, null);
});

test('What one device has got is partly sent, and the other is not tried again.', async () => {
  const user = await stack.user({}, {});
  await stack.simulator.fault({ status: 503, reason: 'ServiceUnavailable' }, user.devices[1]);
  const { notification_id: id } = await send(user);
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
  assert.deepEqual(await cancel(id), ['PARTLY_SENT', 'DELIVERED']);
  await sleep(4500);
  const { attempts, notification } = await stack.get(id);
  assert.equal(attempts.length, 2);
  assert.ok(notification.cancelled_at);
  assert.deepEqual(await cancel(id), ['PARTLY_SENT', 'DELIVERED']);
});

test('What is being sent is waited for, and not for long.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ delay_ms: 1000 }, user.devices[0]);
  const { notification_id: soon } = await send(user);
  await eventually(async () => (await stack.simulator.received(user.devices[0])).length === 1);
  assert.deepEqual(await cancel(soon), ['TOO_LATE', 'DELIVERED']);

  await stack.simulator.fault({ delay_ms: 5000 }, user.devices[0]);
  const { notification_id: late } = await send(user);
  await eventually(async () => (await stack.simulator.received(user.devices[0])).length === 2);
  const asked = Date.now();
  assert.equal((await cancel(late))[0], 'TOO_LATE');
  assert.ok(Date.now() - asked < 4000, 'it does not wait for ever');
  await eventually(async () => (await cancel(late))[1] === 'DELIVERED');
});

test('With Redis away nothing is said to be cancelled that may be sent; afterwards it is.', async () => {
  const user = await stack.user({});
  const { notification_id: id } = await send(user, { deliver_at: inMs(3600_000) });
  await stack.redis('CLIENT', 'PAUSE', '4000', 'ALL');
  await assert.rejects(cancel(id), (error) => error.code === 'UNAVAILABLE');
  await eventually(async () => (await cancel(id))[0] === 'CANCELLED', 20_000);
});

test('What nobody knows is not found, and what is no id is invalid.', async () => {
  await assert.rejects(cancel(randomUUID()), (error) => error.code === 'NOT_FOUND');
  await assert.rejects(cancel('mine'), (error) => error.fields[0] === 'notification_id');
});
