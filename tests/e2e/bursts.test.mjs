// Who wants bursts grouped hears the first of a conversation at once, and then one for the others.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({ NOTIFY_DECISION_BURST_WINDOW: '10s', NOTIFY_PREVIEW_SUMMARY_BODY: 'You have {count} more' });
  // In a young epoch, as just after a start of Redis, nothing is promoted.
  await eventually(async () => await stack.redis('HGET', '{notification:queue:medium}:epoch', 'whole') === '1', 20_000);
});
after(() => stack?.stop());

const alerts = async (user) => (await stack.simulator.received(user.devices[0])).map(({ payload }) => payload.aps.alert);

test('Five messages are two alerts, and the record says which stood for which.', async () => {
  const user = await stack.user({});
  await stack.client.callPreferences('UpdateUserSettings', { user_id: user.id, settings: { group_bursts: true } });
  const conversation_id = randomUUID();
  const send = (fields) => stack.client.call('SendNotification', stack.request(user, { conversation_id, ...fields }));
  const first = await send();
  assert.equal(first.status, 'NOTIFICATION_STATUS_PENDING');
  await stack.settled(first.notification_id);
  const waiting = [];
  for (let i = 0; i < 4; ++i) waiting.push(await send());
  for (const { status } of waiting) assert.equal(status, 'NOTIFICATION_STATUS_DEFERRED');
  const ids = waiting.map(({ notification_id: id }) => id);
  const told = await stack.program(['explain', ids[0]]);
  assert.match(told.stdout, /defer until .*, by burst(\n.*)*burst decided: preferences\.group_bursts = true, and one of its/);
  // Elsewhere, and to whom it is addressed by name, it comes at once.
  for (const fields of [{ conversation_id: randomUUID() }, { mention: true }]) {
    assert.equal((await send(fields)).status, 'NOTIFICATION_STATUS_PENDING');
  }

  await eventually(async () => (await stack.allSettled(ids)).deferred === undefined, 20_000);
  assert.deepEqual(await stack.allSettled(ids), { superseded: 3, delivered: 1 });
  assert.equal((await stack.get(ids.at(-1))).notification.status, 'NOTIFICATION_STATUS_DELIVERED');
  const got = await alerts(user);
  assert.equal(got.length, 4);
  assert.equal(got.at(-1).body, 'You have 4 more');
  const replaced = await stack.program(['explain', ids[0]]);
  assert.match(replaced.stdout, /superseded: a newer one of its conversation stands for it/);
});

test('Who has not asked for it hears each.', async () => {
  const user = await stack.user({});
  const conversation_id = randomUUID();
  const ids = [];
  for (let i = 0; i < 3; ++i) ids.push(await stack.send(user, { conversation_id }));
  assert.deepEqual(await stack.allSettled(ids), { delivered: 3 });
  assert.equal((await alerts(user)).length, 3);
});
