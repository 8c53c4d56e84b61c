// What two nodes share of settings in Redis, and that neither believes what stands there when a
// change has made it untrue: also when Redis was away, or came back with older data.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stack, eventually } from './stack.mjs';

const suppressed = 'NOTIFICATION_STATUS_SUPPRESSED';
let stack;
let second;

/** It remembers nothing yet. */
async function startSecond() {
  second = await stack.another('second');
  await sleep(500); // it has looked for changes
}

before(async () => { stack = await Stack.start(); await startSecond(); });
after(async () => { await stack?.stop(); });

const keyOf = (user) => `preferences:user:${user.id}`;
const send = (node, user, fields) => node.client.call('SendNotification', stack.request(user, fields));

/** How many users' settings a node has had from there. */
async function lookups(node, from) {
  const metrics = await (await fetch(`${node.admin}/metrics`)).text();
  return Number(metrics.match(new RegExp(`^notification_settings_lookups_total{from="${from}"} (\\S+)`, 'm'))[1]);
}

/** Who has set something, long enough ago for it to be shared, and of a conversation, too. */
async function userWithSettings(conversation = randomUUID()) {
  const user = await stack.user({});
  const longAgo = "now() at time zone 'UTC' - interval '10 minutes'";
  await stack.sql(`INSERT INTO user_settings (user_id, sound_enabled, quiet_hours, updated_at) VALUES ('${user.id}', false,
    '{"enabled": true, "start": "00:00", "end": "00:00", "timezone": "UTC", "mode": "silent"}', ${longAgo})`);
  await stack.sql(`INSERT INTO conversation_settings (user_id, conversation_id, notification_level, updated_at)
    VALUES ('${user.id}', '${conversation}', 'none', ${longAgo})`);
  return user;
}

test('What one node has read is a hash with its lifetime, and the other node reads it there.', async () => {
  const conversation_id = randomUUID();
  const user = await userWithSettings(conversation_id);
  assert.equal((await send(stack, user, { conversation_id })).status, suppressed);
  await eventually(async () => await stack.redis('EXISTS', keyOf(user)) === '1', 5000, 'it is shared');
  assert.equal(await stack.redis('TYPE', keyOf(user)), 'hash');
  const fields = (await stack.redis('HKEYS', keyOf(user))).split('\n').sort();
  assert.deepEqual(fields, ['conversation_settings', 'global_settings', 'last_updated', 'quiet_hours']);
  const ttl = Number(await stack.redis('TTL', keyOf(user)));
  assert.ok(ttl > 3500 && ttl <= 3600, `${ttl}`);
  const conversations = JSON.parse(await stack.redis('HGET', keyOf(user), 'conversation_settings'));
  assert.equal(conversations[conversation_id].notification_level, 'none');
  assert.equal(JSON.parse(await stack.redis('HGET', keyOf(user), 'quiet_hours')).mode, 'silent');

  const before = { redis: await lookups(second, 'redis'), postgres: await lookups(second, 'postgres') };
  assert.equal((await send(second, user, { conversation_id })).status, suppressed);
  assert.equal(await lookups(second, 'redis'), before.redis + 1);
  assert.equal(await lookups(second, 'postgres'), before.postgres);
});

test('A mute on one node is obeyed by the other within a second, though Redis was restarted and came back with what was before.', async () => {
  const user = await userWithSettings();
  const conversation_id = randomUUID();
  for (const node of [stack, second]) assert.notEqual((await send(node, user, { conversation_id })).status, suppressed);
  await eventually(async () => await stack.redis('COPY', keyOf(user), 'as-it-was') === '1', 5000, 'it is shared');

  await stack.client.callPreferences('MuteConversation', { user_id: user.id, conversation_id });
  const muted = Date.now();
  await stack.killRedis();
  await stack.startRedis();
  await stack.redis('COPY', 'as-it-was', keyOf(user), 'REPLACE');
  await sleep(Math.max(0, muted + 1000 - Date.now()));
  assert.equal((await send(second, user, { conversation_id })).status, suppressed);
  assert.equal((await send(stack, user, { conversation_id })).status, suppressed);
});

test('A node that has just started does not believe what was shared before a change either.', async () => {
  const user = await userWithSettings();
  const conversation_id = randomUUID();
  assert.notEqual((await send(stack, user, { conversation_id })).status, suppressed);
  await eventually(async () => await stack.redis('COPY', keyOf(user), 'as-it-was-2') === '1', 5000, 'it is shared');
  await stack.client.callPreferences('MuteConversation', { user_id: user.id, conversation_id });
  // A delivery looks settings up too: the second node must find nothing to deliver.
  const unfinished = "SELECT count(*) FROM notification_history WHERE status = 'pending'";
  await eventually(async () => await stack.sql(unfinished) === '0', 10_000, 'all is delivered');
  assert.equal(await second.end(), 0);
  await stack.redis('COPY', 'as-it-was-2', keyOf(user), 'REPLACE');
  await startSecond();
  assert.equal((await send(second, user, { conversation_id })).status, suppressed);
  assert.equal(await lookups(second, 'redis'), 0);
  assert.equal(await lookups(second, 'postgres'), 1);
});

test('What is changed is removed, and without Redis PostgreSQL answers at once.', async () => {
  const user = await userWithSettings();
  await send(stack, user);
  await eventually(async () => await stack.redis('EXISTS', keyOf(user)) === '1', 5000, 'it is shared');
  await stack.client.callPreferences('UpdateUserSettings', { user_id: user.id, settings: { notifications_enabled: false } });
  await eventually(async () => await stack.redis('EXISTS', keyOf(user)) === '0', 2000, 'it is removed');

  const other = await userWithSettings();
  await stack.killRedis();
  const asked = Date.now();
  assert.notEqual((await send(stack, other)).status, suppressed);
  assert.ok(Date.now() - asked < 1000);
  await stack.startRedis();
});
