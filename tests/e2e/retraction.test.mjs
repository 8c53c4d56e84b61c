// Read elsewhere, deleted, answered: what waits is withdrawn, and what devices have got is removed there.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stack, appId, eventually, fcmToken } from './stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({ NOTIFY_DELIVER_RETRY_DELAYS: '60s', NOTIFY_CANCEL_WAIT: '300ms' });
  // In a young epoch, as just after a start of Redis, nobody knows what is leased.
  await eventually(async () => await stack.redis('HGET', '{notification:queue:medium}:epoch', 'whole') === '1', 20_000);
});
after(() => stack?.stop());

const cancel = (request) => stack.client.call('CancelNotification', request);
const inAnHour = () => ({ seconds: Math.floor(Date.now() / 1000) + 3600, nanos: 0 });
const explain = async (id) => (await stack.program(['explain', id])).stdout;
const delivered = async (id) => assert.equal((await stack.settled(id)).status, 'DELIVERED');
/** The retractions that a device got. */
const removals = async (device) => (await stack.simulator.received(device))
  .map(({ provider, payload, ...push }) => {
    const data = provider === 'fcm' ? payload.message.data : provider === 'webpush' ? payload.data : payload;
    return { provider, payload, data, ...push };
  })
  .filter(({ data }) => data?.retracted_ids);

/** A user with a device of each push service. */
async function userOfThree() {
  const user = await stack.webUser();
  const phone = { id: randomUUID(), token: randomBytes(32).toString('hex'), app_id: appId };
  const android = { id: randomUUID(), token: fcmToken(), app_id: appId, platform: 'android' };
  for (const { token } of [phone, android]) stack.secrets.add(token);
  user.devices.unshift(phone, android);
  await stack.simulator.put('/devices', { user_id: user.id,
    devices: user.devices.map(({ subscription, ...device }) => device) });
  return user;
}

test('Read elsewhere: all devices remove what they show, and what waits does not come.', async () => {
  const user = await userOfThree();
  const conversation_id = randomUUID();
  const shown = await stack.send(user, { conversation_id, collapse_id: 'chat-1' });
  await delivered(shown);
  const { notification_id: waiting } = await stack.client.call('SendNotification',
    stack.request(user, { conversation_id, deliver_at: inAnHour() }));
  const other = await stack.send(user, { conversation_id: randomUUID() });
  await delivered(other);

  const request = { of_conversation: { user_id: user.id, conversation_id }, badge: 2 };
  const answer = await cancel(request);
  assert.equal(answer.withdrawn, 1);
  assert.equal(answer.removed, 1);
  assert.equal(answer.has_more, false);
  assert.equal(answer.retraction_ids.length, 1);
  const [retraction] = answer.retraction_ids;
  await delivered(retraction);
  for (const [i, provider] of ['apns', 'fcm', 'webpush'].entries()) {
    const pushes = await removals(user.devices[i]);
    assert.equal(pushes.length, 1, provider);
    const [{ data, payload, ...push }] = pushes;
    assert.equal(push.provider, provider);
    assert.deepEqual(JSON.parse(data.retracted_ids), [shown]);
    assert.deepEqual(JSON.parse(data.retracted_collapse_ids), ['chat-1']);
    assert.equal(data.badge, '2');
    if (provider === 'apns') {
      assert.deepEqual(payload.aps, { 'content-available': 1 });
      assert.deepEqual([push.push_type, push.priority, push.collapse_id], ['background', '5', 'chat-1']);
    } else if (provider === 'fcm') {
      assert.equal(payload.message.notification, undefined);
    } else {
      const [first] = await stack.simulator.received(user.devices[i]);
      assert.equal(push.topic, first.topic, 'it replaces what the push service still holds');
    }
  }
  assert.equal((await stack.get(waiting)).notification.status, 'NOTIFICATION_STATUS_CANCELLED');
  assert.equal((await stack.get(other)).notification.retraction, null);
  const { notification } = await stack.get(shown);
  assert.equal(notification.retraction.retraction_id, retraction);
  assert.ok(notification.retraction.retracted_at);
  assert.deepEqual((await stack.get(retraction)).notification.retracted_ids, [shown]);
  assert.match(await explain(shown), new RegExp(`retracted by a caller: notification ${retraction} tells the devices`));
  assert.match(await explain(retraction), new RegExp(`retracts ${shown}`));

  const again = await cancel(request);
  assert.deepEqual([again.withdrawn, again.removed, again.retraction_ids], [0, 0, []]);
  assert.equal((await removals(user.devices[0])).length, 1);
});

test('Up to a message: newer ones stay, and so do those of other users.', async () => {
  const user = await stack.user({});
  const other = await stack.user({});
  const conversation_id = randomUUID();
  const messages = [randomUUID(), randomUUID(), randomUUID()];
  const ids = [];
  for (const message_id of messages) {
    ids.push(await stack.send(user, { conversation_id, message_id }));
    await delivered(ids.at(-1));
  }
  const theirs = await stack.send(other, { conversation_id, message_id: messages[0] });
  await delivered(theirs);
  const answer = await cancel({ of_conversation: { user_id: user.id, conversation_id, up_to_message_id: messages[1] } });
  assert.equal(answer.removed, 2);
  await delivered(answer.retraction_ids[0]);
  const [{ data }] = await removals(user.devices[0]);
  assert.deepEqual(JSON.parse(data.retracted_ids), [ids[1], ids[0]]);
  assert.equal((await stack.get(ids[2])).notification.retraction, null);
  assert.equal((await stack.get(theirs)).notification.retraction, null);
  assert.deepEqual(await removals(other.devices[0]), []);
});

test('Only a device that got it is told, and quiet hours do not hold that back.', async () => {
  const user = await stack.user({}, {});
  const message_id = randomUUID();
  await stack.simulator.fault({ status: 400, reason: 'PayloadEmpty' }, user.devices[1]);
  const id = await stack.send(user, { message_id });
  await delivered(id);
  const clock = (hours) => new Date(Date.now() + hours * 3600_000).toISOString().slice(11, 16);
  await stack.client.callPreferences('UpdateUserSettings', { user_id: user.id, settings: { notifications_enabled: false,
    quiet_hours: { enabled: true, start: clock(-1), end: clock(1), timezone: 'UTC', mode: 'QUIET_HOURS_MODE_DEFER' } } });
  await sleep(1000);
  const answer = await cancel({ of_message: { user_id: user.id, message_id } });
  const { attempts } = await stack.settled(answer.retraction_ids[0]);
  assert.deepEqual(attempts.map(({ device_id }) => device_id), [user.devices[0].id]);
  assert.equal((await removals(user.devices[0])).length, 1);
  assert.deepEqual(await removals(user.devices[1]), []);
});

test('By its id, as always: what is shown stays, unless the call wants it removed.', async () => {
  const user = await stack.user({});
  const notification_id = await stack.send(user);
  await delivered(notification_id);
  const plain = await cancel({ notification_id });
  assert.equal(plain.result, 'CANCEL_RESULT_TOO_LATE');
  assert.deepEqual(plain.retraction_ids, []);
  const removing = await cancel({ notification_id, remove_shown: true, badge: 0 });
  assert.equal(removing.result, 'CANCEL_RESULT_TOO_LATE');
  await delivered(removing.retraction_ids[0]);
  assert.equal((await removals(user.devices[0]))[0].data.badge, '0');
});

test('What is under way is followed by its retraction.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ delay_ms: 1500 }, user.devices[0]);
  const message_id = randomUUID();
  const id = await stack.send(user, { message_id });
  await sleep(200);
  const answer = await cancel({ of_message: { user_id: user.id, message_id } });
  assert.equal(answer.removed, 1);
  await eventually(async () => (await removals(user.devices[0])).length === 1, 20_000);
  const got = (await stack.simulator.received(user.devices[0])).map(({ payload }) => payload.notification_id);
  assert.deepEqual(got, [id, answer.retraction_ids[0]]);
});

test('From a shell: the same.', async () => {
  const user = await stack.user({});
  const conversation_id = randomUUID();
  const message_id = randomUUID();
  const id = await stack.send(user, { conversation_id, message_id });
  await delivered(id);
  const run = (...args) => stack.program(['cancel', '--address', stack.address, ...args]);
  const done = await run('--user', user.id, '--conversation', conversation_id, '--up-to', message_id, '--badge', '3');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^0 withdrawn, 1 to be removed from devices\nretraction \S{36}\n$/);
  await eventually(async () => (await removals(user.devices[0])).length === 1);
  assert.equal((await run(id)).stdout, 'too late: nothing was left to take back\n');
  assert.match((await run('--user', user.id, '--message', 'x')).stderr, /of_message\.message_id/);
  assert.equal((await run('--message', message_id)).code, 2, 'whose?');
  assert.equal((await run(id, '--message', message_id)).code, 2, 'which?');
});

test('A wrong request is refused, with every field that is wrong.', async () => {
  const refused = (request, names) => assert.rejects(cancel(request),
    (error) => { assert.deepEqual(error.fields, names); return true; });
  await refused({}, ['notification_id']);
  await refused({ notification_id: randomUUID(), badge: 1 }, ['badge']);
  await refused({ of_message: { user_id: 'x' }, remove_shown: true, badge: -1 },
    ['remove_shown', 'of_message.user_id', 'of_message.message_id', 'badge']);
  await refused({ of_conversation: { user_id: randomUUID(), conversation_id: '', up_to_message_id: 'x' } },
    ['of_conversation.conversation_id', 'of_conversation.up_to_message_id']);
  await assert.rejects(cancel({ of_conversation: { user_id: randomUUID(), conversation_id: randomUUID(),
    up_to_message_id: randomUUID() } }), /NOT_FOUND/);
});
