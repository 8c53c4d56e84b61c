// What must survive: the end of the process, gentle and violent, the loss of Redis, of PostgreSQL and
// of auth-service. In each test every notification that was accepted has to be delivered.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, beforeEach, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

let stack;
const settings = {
  NOTIFY_DELIVER_RETRY_DELAYS: '1s,1s,1s,1s,1s',
  NOTIFY_RECOVER_SWEEP_INTERVAL: '1s',
  NOTIFY_RECOVER_HEARTBEAT_INTERVAL: '500ms',
  NOTIFY_RECOVER_HEARTBEAT_TIMEOUT: '3s',
  NOTIFY_SHUTDOWN_TIMEOUT: '20s',
};
before(async () => { stack = await Stack.start(settings); });
after(() => stack?.stop());
beforeEach(async () => {
  // Whatever became of the test before: all is up and well.
  await stack.simulator.clearFaults();
  stack.settings = settings;
  if (!stack.service) await stack.startService();
  await stack.ready();
});

/**
 * Users who share one phone, so that one token tells of all. One user alone would get one notification
 * after the other.
 */
async function crowd(size = 100) {
  const first = await stack.user({});
  const users = [first];
  while (users.length < size) users.push(await stack.user({ token: first.devices[0].token }));
  return users;
}

/** Sends `count` at once, to `users` in turn. Returns the ids that were accepted, and the errors. */
async function burst(users, count) {
  const ids = [];
  const errors = [];
  await Promise.all(Array.from({ length: count }, async (_, i) => {
    try {
      ids.push(await stack.send(users[i % users.length]));
    } catch (error) {
      errors.push(error);
    }
  }));
  return { ids, errors };
}

const inQueue = async () => {
  const counts = await Promise.all(['high', 'medium', 'low'].map(
    (priority) => stack.redis('ZCARD', `notification:queue:${priority}`)));
  return counts.reduce((sum, count) => sum + Number(count), 0);
};

/** How many different notifications a device has accepted, and how many of those more than once. */
async function arrivals(device) {
  const accepted = new Map();
  for (const push of await stack.simulator.received(device)) {
    if (push.status !== 200 && !(push.status === 0 && push.fault === 'cut_after')) continue;
    const id = push.payload.notification_id;
    accepted.set(id, [...(accepted.get(id) ?? []), push.apns_id]);
  }
  const repeated = [...accepted.values()].filter((apnsIds) => apnsIds.length > 1);
  for (const apnsIds of repeated) assert.equal(new Set(apnsIds).size, 1, 'repeated with the same apns-id');
  return { ids: new Set(accepted.keys()), duplicates: repeated.length };
}

function assertAll(ids, arrived) {
  assert.deepEqual(ids.filter((id) => !arrived.has(id)), [], 'accepted and never delivered');
}

test('SIGTERM with 200 in flight at a slow provider: it ends with 0, and each arrives exactly once.', async () => {
  const users = await crowd();
  const [phone] = users[0].devices;
  await stack.simulator.fault({ delay_ms: 1000, count: -1 }, phone);
  const { ids, errors } = await burst(users, 200);
  assert.deepEqual(errors, []);
  await eventually(async () => (await stack.simulator.device(phone)).accepted > 0, 5000,
    'some are at the provider');

  const began = Date.now();
  assert.equal(await stack.endService('SIGTERM', 25_000), 0);
  assert.ok(Date.now() - began < 20_000, 'within shutdown.timeout');
  assert.doesNotMatch(stack.read('log/service'), /"clean":false/);

  await stack.simulator.clearFaults();
  await stack.startService();
  assert.deepEqual(await stack.allSettled(ids), { delivered: 200 });
  const { ids: arrived, duplicates } = await arrivals(phone);
  assertAll(ids, arrived);
  assert.equal(duplicates, 0);
});

test('While it drains, /readyz says so, and new calls are refused.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ delay_ms: 3000 }, user.devices[0]);
  const id = await stack.send(user);
  await eventually(async () => (await stack.simulator.device(user.devices[0])).accepted === 1);
  const ended = stack.endService('SIGTERM', 25_000);
  try {
    await eventually(async () => {
      const response = await fetch(`${stack.admin}/readyz`);
      return response.status === 503 && (await response.json()).draining;
    }, 2500, '/readyz says that it drains');
    const error = await stack.send(user, {}, { deadlineMs: 2000 }).catch((failure) => failure);
    // A call that crosses with the GOAWAY is CANCELLED by gRPC itself.
    assert.ok(['UNAVAILABLE', 'CANCELLED'].includes(error.code), String(error));
  } finally {
    assert.equal(await ended, 0);
  }
  await stack.startService();
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
  assert.equal((await arrivals(user.devices[0])).duplicates, 0);
});

test('kill -9 in the middle of a burst of 500: every accepted one is delivered, few twice.', async (t) => {
  const users = await crowd();
  const [phone] = users[0].devices;
  const atProvider = async () => (await stack.simulator.device(phone)).accepted;
  await stack.simulator.fault({ delay_ms: 100, count: -1 }, phone);
  const ids = [];
  const errors = [];
  let waiting = 500;
  const caller = async () => {
    while (waiting-- > 0) {
      try {
        ids.push(await stack.send(users[waiting % users.length]));
      } catch (error) {
        errors.push(error); // what a caller sees of the kill
        await sleep(20);
      }
    }
  };
  const callers = Promise.all(Array.from({ length: 8 }, caller));
  await eventually(async () => await atProvider() >= 100, 20_000, '100 are with the provider');
  assert.equal(await stack.endService('SIGKILL'), 'SIGKILL');
  await callers;
  for (const error of errors) assert.equal(error.code, 'UNAVAILABLE', error.stack);
  assert.ok(ids.length < 500, 'the burst was not over');
  const count = async (status) => Number(await stack.sql('SELECT count(*) FROM notification_history '
    + `WHERE user_id IN (${users.map(({ id }) => `'${id}'`)}) AND status = '${status}'`));
  const [sent, recorded] = [await atProvider(), await count('delivered')];

  await stack.simulator.clearFaults();
  await stack.startService();
  assert.deepEqual(await stack.allSettled(ids, 40_000), { delivered: ids.length });
  // What was committed without an answer to its caller is delivered as well.
  await eventually(async () => await count('pending') === 0, 20_000);
  const { ids: arrived, duplicates } = await arrivals(phone);
  assertAll(ids, arrived);
  t.diagnostic(`${ids.length} accepted; at the kill ${sent} were with the provider, of which `
    + `${recorded} on record; ${duplicates} arrived twice, with the same apns-id`);
  assert.ok(duplicates <= sent - recorded,
    `${duplicates} twice, but only ${sent - recorded} were without a record`);
});

test('FLUSHALL while notifications wait in Redis: all of them are delivered.', async (t) => {
  await stack.endService();
  stack.settings = { ...settings, NOTIFY_DELIVER_IN_FLIGHT_MAX: '4', NOTIFY_DELIVER_LEASE_MAX: '4' };
  await stack.startService();
  const users = await crowd();
  const [phone] = users[0].devices;
  await stack.simulator.fault({ delay_ms: 1500, count: -1 }, phone);
  const { ids } = await burst(users, 60);
  assert.equal(ids.length, 60);
  assert.ok(await eventually(inQueue, 2000) > 0, 'some wait in Redis');
  await stack.redis('FLUSHALL');
  await stack.simulator.clearFaults();
  assert.deepEqual(await stack.allSettled(ids), { delivered: 60 });
  const { ids: arrived, duplicates } = await arrivals(phone);
  assertAll(ids, arrived);
  t.diagnostic(`${duplicates} arrived twice`);
  assert.ok(duplicates <= 4, 'at most those that were under way');
  assert.equal(await stack.endService(), 0); // the next test starts it with its usual settings
});

test('FLUSHALL while the service is stopped: what it left behind is delivered.', async () => {
  const users = await crowd();
  const [phone] = users[0].devices;
  await stack.simulator.fault({ delay_ms: 500, count: -1 }, phone);
  const { ids } = await burst(users, 50);
  await stack.endService('SIGKILL');
  await stack.redis('FLUSHALL');
  await stack.simulator.clearFaults();
  await stack.startService();
  assert.deepEqual(await stack.allSettled(ids), { delivered: 50 });
  assertAll(ids, (await arrivals(phone)).ids);
});

/** Asserts UNAVAILABLE with a delay, within a second and a half. */
async function refusedSoon(call) {
  const began = Date.now();
  const error = await call.then(() => assert.fail('it was accepted'), (failure) => failure);
  const took = Date.now() - began;
  assert.equal(error.code, 'UNAVAILABLE', `after ${took} ms: ${error.message}`);
  assert.equal(error.info.ErrorInfo?.reason, 'UNAVAILABLE');
  const delay = error.info.RetryInfo.retry_delay;
  assert.ok(delay.seconds * 1000 + delay.nanos / 1e6 >= 100, 'a delay');
  assert.ok(took < 1500, `refused after ${took} ms`);
}

test('Without PostgreSQL a call is refused at once, with a delay; with it again all is well.', async () => {
  const user = await stack.user({});
  assert.equal((await stack.settled(await stack.send(user))).status, 'DELIVERED');
  await stack.postgres('stop');
  try {
    await eventually(async () => (await fetch(`${stack.admin}/readyz`)).status === 503, 10_000,
      '/readyz says 503');
    await refusedSoon(stack.send(user));
    assert.equal((await fetch(`${stack.admin}/healthz`)).status, 200, 'it lives');
  } finally {
    await stack.postgres('start');
  }
  await stack.ready();
  assert.equal((await stack.settled(await stack.send(user))).status, 'DELIVERED');
});

test('Without PostgreSQL reading is refused at once as well, with a delay.', async () => {
  const user = await stack.user({});
  const id = await stack.send(user);
  await stack.settled(id);
  await stack.postgres('stop');
  try {
    await eventually(async () => (await fetch(`${stack.admin}/readyz`)).status === 503, 10_000);
    await refusedSoon(stack.get(id));
    await refusedSoon(stack.client.call('ListNotifications', { user_id: user.id }));
  } finally {
    await stack.postgres('start');
  }
  await stack.ready();
});

test('PostgreSQL goes while notifications are with the provider: all reach their end on record.', async (t) => {
  const users = await crowd();
  const [phone] = users[0].devices;
  await stack.simulator.fault({ delay_ms: 1000, count: -1 }, phone);
  const { ids } = await burst(users, 30);
  assert.equal(ids.length, 30);
  await eventually(async () => (await stack.simulator.device(phone)).accepted === 30);
  await stack.postgres('stop');
  await eventually(async () => (await fetch(`${stack.admin}/readyz`)).status === 503);
  await stack.postgres('start');
  await stack.simulator.clearFaults();
  assert.deepEqual(await stack.allSettled(ids), { delivered: 30 });
  const { ids: arrived, duplicates } = await arrivals(phone);
  assertAll(ids, arrived);
  t.diagnostic(`${duplicates} arrived twice, with the same apns-id`);
});

test('Without auth-service it is accepted and waits; it is delivered when auth-service is back.', async () => {
  const user = await stack.user({});
  await stack.simulator.authFault({ grpc_status: 'UNAVAILABLE', count: -1 });
  const id = await stack.send(user);
  await eventually(async () => await stack.sql(
    `SELECT reason FROM due WHERE notification_id = '${id}'`) === 'devices_unavailable', 10_000, 'it waits');
  const { notification, attempts } = await stack.get(id);
  assert.equal(notification.status, 'NOTIFICATION_STATUS_PENDING');
  assert.deepEqual(attempts, []);
  await eventually(async () => {
    const response = await fetch(`${stack.admin}/readyz`);
    const { checks } = await response.json();
    return response.status === 200 && checks.find((check) => check.name === 'auth_service').state === 'degraded';
  }, 5000, '/readyz: ready, with auth_service degraded');

  await stack.simulator.clearFaults();
  assert.equal((await stack.settled(id, 20_000)).status, 'DELIVERED');
});

test('Without Redis it is accepted; it is delivered when Redis is back.', async () => {
  const users = await crowd();
  const [phone] = users[0].devices;
  // Redis answers nobody for two seconds.
  await stack.redis('CLIENT', 'PAUSE', '2000', 'ALL');
  const { ids, errors } = await burst(users, 20);
  assert.deepEqual(errors, []);
  assert.deepEqual(await stack.allSettled(ids), { delivered: 20 });
  assertAll(ids, (await arrivals(phone)).ids);
});

test('After all of this no log holds a token, a title, a body or a user id.', () => {
  assert.ok(stack.secrets.size > 1000);
  assert.deepEqual(stack.leaks(), []);
});
