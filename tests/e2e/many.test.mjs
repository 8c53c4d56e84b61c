// Many notifications at once: batches, streams, and requests that come again.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CallError, wire } from './client.mjs';
import { Stack, eventually } from './stack.mjs';

let stack;
before(async () => { stack = await Stack.start({}); });
after(() => stack?.stop());

const requests = (user, count) => Array.from({ length: count },
  () => stack.request(user, { message_id: randomUUID() }));

async function delivered(ids) {
  for (const id of ids) {
    const { status } = await stack.settled(id);
    assert.equal(status, 'DELIVERED');
  }
}

/** Opens a stream; `next()` waits for as many results as wanted. */
function openStream(client) {
  const call = client.notifications.StreamNotifications();
  const results = new Map();
  let ended = null;
  call.on('data', (message) => {
    for (const { sequence, result } of message.results) {
      assert.ok(!results.has(sequence), `${sequence} is answered once`);
      results.set(sequence, result);
    }
  });
  call.on('error', () => {}); // the status says it too
  call.on('status', (status) => { ended = status.code === 0 ? 'OK' : new CallError(status); });
  return {
    send: (items) => call.write({ items }),
    close: () => call.end(),
    results,
    answered: (count) => eventually(() => results.size >= count, 10_000, `${count} results`),
    ended: () => eventually(() => ended, 10_000, 'the stream ends'),
    cancel: () => call.cancel(),
  };
}

test('A batch answers each of its requests in order, and refuses a bad one alone.', async () => {
  const user = await stack.user({});
  const notifications = requests(user, 20);
  notifications[7].type = 'Not a type';
  const { results } = await stack.client.call('BatchSendNotifications', { notifications });
  assert.equal(results.length, 20);
  results.forEach((result, i) => assert.equal(Boolean(result.accepted), i !== 7));
  assert.equal(results[7].error.code, 3, 'INVALID_ARGUMENT');
  assert.match(results[7].error.message, /^type must be/);
  const ids = results.filter((result) => result.accepted).map((result) => result.accepted.notification_id);
  assert.deepEqual([...ids].sort(), ids, 'ids rise in the order of the requests');
  await delivered(ids);
});

/** Requests as bytes, of which those at these places have a title that is not UTF-8. */
function withBadTitles(user, count, bad) {
  return requests(user, count).map((request, i) => (bad.includes(i)
    ? Buffer.concat([wire.request({ ...request, title: '' }), wire.bytes(5, [0x61, 0xff])])
    : wire.request(request)));
}

test('A text that is not UTF-8 spoils its own item of a batch, and no other.', async () => {
  const user = await stack.user({});
  const raw = Buffer.concat(withBadTitles(user, 20, [0, 7]).map((bytes) => wire.bytes(1, bytes)));
  const { results } = await stack.client.callRaw('BatchSendNotifications', raw);
  assert.equal(results.length, 20);
  results.forEach((result, i) => assert.equal(Boolean(result.accepted), ![0, 7].includes(i), `item ${i}`));
  for (const i of [0, 7]) {
    assert.equal(results[i].error.code, 3, 'INVALID_ARGUMENT');
    assert.equal(results[i].error.message, 'title must be valid UTF-8');
  }
  await delivered(results.filter((result) => result.accepted).map((result) => result.accepted.notification_id));
});

test('A text that is not UTF-8 spoils its own item of a stream, and the stream goes on.', async () => {
  const user = await stack.user({});
  const call = stack.client.streamRaw();
  const results = new Map();
  let status;
  call.on('data', (message) => { for (const { sequence, result } of message.results) results.set(sequence, result); });
  call.on('error', () => {}); // the status says it too
  call.on('status', (ended) => { status = ended; });
  for (const first of [0, 10]) {
    call.write(Buffer.concat(withBadTitles(user, 10, [3]).map((bytes, i) => wire.bytes(1,
      Buffer.concat([wire.varint(1 * 8), wire.varint(first + i), wire.bytes(2, bytes)])))));
  }
  call.end();
  await eventually(() => status, 10_000, 'the stream ends');
  assert.equal(status.code, 0, status.details);
  assert.deepEqual([...results.keys()].sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
  for (const [sequence, result] of results) {
    assert.equal(Boolean(result.accepted), ![3, 13].includes(sequence), `item ${sequence}`);
  }
  assert.equal(results.get(13).error.message, 'title must be valid UTF-8');
});

test('An empty batch and one of more than a thousand are refused.', async () => {
  const user = await stack.user({});
  for (const notifications of [[], requests(user, 1001)]) {
    await assert.rejects(stack.client.call('BatchSendNotifications', { notifications }), (error) => {
      assert.equal(error.code, 'INVALID_ARGUMENT');
      assert.deepEqual(error.fields, ['notifications']);
      return true;
    });
  }
  const { results } = await stack.client.call('BatchSendNotifications',
    { notifications: requests(user, 1000) });
  assert.ok(results.every((result) => result.accepted));
});

test('A stream answers every item once, and ends when its caller is done.', async () => {
  const user = await stack.user({});
  const stream = openStream(stack.client);
  const all = requests(user, 300);
  all[100].user_id = 'alice';
  for (let from = 0; from < 300; from += 50) {
    stream.send(all.slice(from, from + 50).map((notification, i) => ({ sequence: from + i, notification })));
  }
  stream.close();
  assert.equal(await stream.ended(), 'OK');
  assert.equal(stream.results.size, 300);
  assert.equal(stream.results.get(100).error.code, 3);
  const ids = [...stream.results.values()].filter((r) => r.accepted).map((r) => r.accepted.notification_id);
  assert.equal(new Set(ids).size, 299);
  await delivered(ids.slice(0, 20));
});

test('A stream whose message is wrong ends with what is wrong; what it had accepted stays.', async () => {
  const user = await stack.user({});
  const stream = openStream(stack.client);
  stream.send([{ sequence: 1, notification: requests(user, 1)[0] }]);
  await stream.answered(1);
  stream.send([]);
  const error = await stream.ended();
  assert.equal(error.code, 'INVALID_ARGUMENT');
  assert.deepEqual(error.fields, ['items']);
  await delivered([stream.results.get(1).accepted.notification_id]);
});

test('A caller that vanishes from its stream disturbs nobody.', async () => {
  const user = await stack.user({});
  const stream = openStream(stack.client);
  stream.send(requests(user, 50).map((notification, i) => ({ sequence: i, notification })));
  stream.cancel();
  assert.equal((await stream.ended()).code, 'CANCELLED');
  const answer = await stack.client.call('SendNotification', requests(user, 1)[0]);
  await delivered([answer.notification_id]);
});

test('A request that comes again is answered with the first one, however it comes.', async () => {
  const user = await stack.user({});
  const [request] = requests(user, 1);
  const first = await stack.client.call('SendNotification', request);
  assert.equal(first.is_repeat, false);
  await delivered([first.notification_id]);
  const again = await stack.client.call('SendNotification', request);
  assert.equal(again.notification_id, first.notification_id);
  assert.equal(again.is_repeat, true);
  assert.equal(again.status, 'NOTIFICATION_STATUS_DELIVERED');
  assert.deepEqual(again.expires_at, first.expires_at);
  const { results } = await stack.client.call('BatchSendNotifications',
    { notifications: [request, request] });
  for (const result of results) assert.equal(result.accepted.notification_id, first.notification_id);
  const { notifications } = await stack.client.call('ListNotifications', { user_id: user.id });
  assert.equal(notifications.length, 1);
});

test('Forty equal calls at once are one notification.', async () => {
  const user = await stack.user({});
  const [request] = requests(user, 1);
  const answers = await Promise.all(Array.from({ length: 40 },
    () => stack.client.call('SendNotification', request)));
  assert.equal(new Set(answers.map((answer) => answer.notification_id)).size, 1);
  assert.equal(answers.filter((answer) => !answer.is_repeat).length, 1);
});

test('A key names a request; used for another it is refused.', async () => {
  const user = await stack.user({});
  const key = randomUUID();
  const request = { ...stack.request(user, {}), idempotency_key: key };
  const first = await stack.client.call('SendNotification', request);
  const other = await stack.client.call('SendNotification', { ...request, idempotency_key: randomUUID() });
  assert.notEqual(other.notification_id, first.notification_id);
  await assert.rejects(stack.client.call('SendNotification', { ...request, body: 'Another text' }), (error) => {
    assert.equal(error.code, 'ALREADY_EXISTS');
    assert.equal(error.info.ErrorInfo.reason, 'IDEMPOTENCY_KEY_REUSED');
    return true;
  });
  await assert.rejects(stack.client.call('SendNotification', { ...request, idempotency_key: 'ü' }), (error) => {
    assert.deepEqual(error.fields, ['idempotency_key']);
    return true;
  });
});

test('At SIGTERM a stream gets its answers, and UNAVAILABLE.', async () => {
  const user = await stack.user({});
  const stream = openStream(stack.client);
  stream.send(requests(user, 100).map((notification, i) => ({ sequence: i, notification })));
  await stream.answered(100);
  const exited = stack.endService('SIGTERM', 25_000);
  const error = await stream.ended();
  assert.equal(error.code, 'UNAVAILABLE');
  assert.equal(stream.results.size, 100);
  assert.equal(await exited, 0);
  await stack.startService();
  await delivered([...stream.results.values()].slice(0, 10).map((r) => r.accepted.notification_id));
});
