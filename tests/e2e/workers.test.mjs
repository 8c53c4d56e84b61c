// One process with three workers: each leases, sends and ends by itself, and together they keep a
// user's order, and shutdown.timeout.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

let stack;
const settings = {
  NOTIFY_SERVICE_WORKERS: '3',
  NOTIFY_DELIVER_IN_FLIGHT_MAX: '20',
  NOTIFY_DELIVER_LEASE_MAX: '20',
  NOTIFY_RECOVER_SWEEP_INTERVAL: '1s',
  NOTIFY_RECOVER_HEARTBEAT_INTERVAL: '500ms',
  NOTIFY_RECOVER_HEARTBEAT_TIMEOUT: '3s',
  NOTIFY_APNS_REQUEST_TIMEOUT: '9s',
  NOTIFY_SHUTDOWN_TIMEOUT: '10s',
};
before(async () => { stack = await Stack.start(settings); });
after(() => stack?.stop());
beforeEach(async () => {
  await stack.simulator.clearFaults();
  if (!stack.service) await stack.startService();
});

const requests = (user, count) => Array.from({ length: count },
  () => stack.request(user, { message_id: randomUUID() }));

/** Sends them in one call and returns their ids. */
async function sendAll(notifications) {
  const { results } = await stack.client.call('BatchSendNotifications', { notifications });
  return results.map((result) => result.accepted.notification_id);
}

/** The ids that a device has accepted, in the order in which they came. */
async function arrived(device) {
  const received = await stack.simulator.received(device);
  return received.filter(({ status }) => status === 200).map((push) => push.payload.notification_id);
}

test('SIGTERM with a backlog at a slow provider: all workers stop at once, within shutdown.timeout.', async () => {
  const users = [await stack.user({})];
  const [phone] = users[0].devices;
  while (users.length < 320) users.push(await stack.user({ token: phone.token }));
  await stack.simulator.fault({ delay_ms: 4000, count: -1 }, phone);
  const ids = await sendAll(users.map((user) => stack.request(user)));
  await eventually(async () => (await stack.simulator.device(phone)).accepted >= 60, 15_000,
    'every worker has some at the provider');

  const began = Date.now();
  assert.equal(await stack.endService('SIGTERM', 25_000), 0);
  const took = Date.now() - began;
  assert.ok(took < 10_000, `within shutdown.timeout: ${took} ms`);
  assert.doesNotMatch(stack.read('log/service'), /"clean":false/);
  assert.ok((await arrived(phone)).length < 240, 'nothing is begun any more');

  await stack.simulator.clearFaults();
  await stack.startService();
  assert.deepEqual(await stack.allSettled(ids, 60_000), { delivered: ids.length });
  const all = await arrived(phone);
  assert.equal(all.length, ids.length, 'each arrives once');
  assert.deepEqual(new Set(all), new Set(ids));
});

test('The notifications of a user come in their order, whichever workers send them, and across a SIGTERM.', async () => {
  const users = await Promise.all(Array.from({ length: 6 }, () => stack.user({})));
  for (const { devices: [phone] } of users) await stack.simulator.fault({ delay_ms: 20, count: -1 }, phone);
  const perUser = await Promise.all(users.map(async (user) => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(...await sendAll(requests(user, 20)));
    return ids;
  }));
  await eventually(async () => (await arrived(users[0].devices[0])).length > 10, 10_000, 'some have come');
  assert.equal(await stack.endService('SIGTERM', 25_000), 0);
  await stack.startService();
  assert.deepEqual(await stack.allSettled(perUser.flat()), { delivered: 360 });
  for (const [i, { devices: [phone] }] of users.entries()) {
    assert.deepEqual(await arrived(phone), perUser[i]);
  }
});

test('At SIGTERM each stream gets its answers and UNAVAILABLE, whichever worker has it.', async () => {
  const user = await stack.user({});
  const streams = await Promise.all(Array.from({ length: 6 }, async () => {
    const call = stack.client.notifications.StreamNotifications();
    const stream = { ids: [], status: undefined };
    call.on('data', ({ results }) => {
      for (const { result } of results) stream.ids.push(result.accepted.notification_id);
    });
    call.on('error', () => {}); // the status says it too
    call.on('status', ({ code }) => { stream.status = code; });
    call.write({ items: requests(user, 10).map((notification, i) => ({ sequence: i, notification })) });
    await eventually(() => stream.ids.length === 10, 10_000, 'ten answers');
    return stream;
  }));
  assert.equal(await stack.endService('SIGTERM', 25_000), 0);
  for (const stream of streams) assert.equal(stream.status, 14, 'UNAVAILABLE');
  await stack.startService();
  const ids = streams.flatMap((stream) => stream.ids);
  assert.deepEqual(await stack.allSettled(ids), { delivered: 60 });
});
