// Rate limits as a caller meets them: which, what is left, when to come back; over all nodes together;
// what is over them on record as suppressed, if it is so configured; and with Redis away.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

/** The defaults: stack.mjs has wider ones for other tests. */
const defaults = { NOTIFY_LIMITS_USER: undefined, NOTIFY_LIMITS_CONVERSATION: undefined };

let stack;

before(async () => { stack = await Stack.start(defaults); });
after(async () => { await stack?.stop(); });

const requests = (user, count, fields = {}) => Array.from({ length: count },
  () => stack.request(user, { message_id: randomUUID(), ...fields }));
const send = (request, client = stack.client) => client.call('SendNotification', request);
/** The answers to a batch: true for OK, or the code. */
const batch = async (notifications, client = stack.client) => {
  const { results } = await client.call('BatchSendNotifications', { notifications });
  return results.map((result) => (result.error ? result.error.code : true));
};
const counted = (answers) => answers.filter((answer) => answer === true).length;
async function refused(request, client) {
  try {
    await send(request, client);
  } catch (error) {
    return error;
  }
  return assert.fail('it was not refused');
}

test('Over 60 a minute a caller is told which limit it is, what is left and when to come back.', async () => {
  const user = await stack.user({});
  assert.equal(counted(await batch(requests(user, 60))), 60);
  const error = await refused(stack.request(user));
  assert.equal(error.code, 'RESOURCE_EXHAUSTED');
  assert.match(error.text, /limit user\.1m = 60, counted 60, left 0/);
  assert.equal(error.info.ErrorInfo.reason, 'RATE_LIMITED');
  assert.deepEqual(error.info.ErrorInfo.metadata, { limit: 'user.1m', allowed: '60', left: '0' });
  const [violation] = error.info.QuotaFailure.violations;
  assert.equal(violation.subject, `user:${user.id}`);
  assert.match(violation.description, /user\.1m = 60/);
  const { seconds } = error.info.RetryInfo.retry_delay;
  assert.ok(seconds > 30 && seconds <= 60, `${seconds} s`);
  const rows = await stack.sql(`SELECT count(*) FROM notification_history WHERE user_id = '${user.id}'`);
  assert.equal(rows, '60', 'what is refused is not stored');
});

test('A batch goes in as far as it fits, and each other item says why it did not.', async () => {
  const user = await stack.user({});
  const answers = await batch(requests(user, 65));
  assert.equal(counted(answers), 60);
  assert.deepEqual([...new Set(answers.slice(60))], [8]);
});

test('The counters are strings in Redis that live as long as their windows.', async () => {
  const user = await stack.user({});
  const conversation = randomUUID();
  await send(stack.request(user, { conversation_id: conversation }));
  await send(stack.request(user, { conversation_id: conversation }));
  const windows = { [`user.1m:{${user.id}}`]: 60, [`user.1h:{${user.id}}`]: 3600,
    [`user.1d:{${user.id}}`]: 86_400, [`conversation.1h:{${user.id}}:${conversation}`]: 3600 };
  for (const [name, window] of Object.entries(windows)) {
    assert.equal(await stack.redis('GET', `ratelimit:${name}`), '2', name);
    const ttl = Number(await stack.redis('TTL', `ratelimit:${name}`));
    assert.ok(ttl > window - 20 && ttl <= window, `${name}: ${ttl}`);
  }
});

test('Each member of a conversation has 100 an hour of it, however large it is.', async () => {
  const conversation_id = randomUUID();
  const users = await Promise.all([1, 2, 3].map(() => stack.user({})));
  const all = users.flatMap((user) => requests(user, 35, { conversation_id }));
  assert.equal(counted(await batch(all)), 105);
  await stack.redis('INCRBY', `ratelimit:conversation.1h:{${users[0].id}}:${conversation_id}`, '65');
  const error = await refused(stack.request(users[0], { conversation_id }));
  assert.equal(error.info.ErrorInfo.metadata.limit, 'conversation.1h');
  assert.equal(error.info.QuotaFailure.violations[0].subject, `conversation:${users[0].id}:${conversation_id}`);
  await send(stack.request(users[0]));
  await send(stack.request(users[1], { conversation_id }));
});

test('A repeat is answered also over the limit, and does not count.', async () => {
  const user = await stack.user({});
  const [first, ...rest] = requests(user, 60);
  const { notification_id: id } = await send(first);
  for (let i = 0; i < 5; i++) assert.equal((await send(first)).is_repeat, true);
  await eventually(async () => await stack.redis('GET', `ratelimit:user.1m:{${user.id}}`) === '1',
    5000, 'repeats are given back');
  assert.equal(counted(await batch(rest)), 59);
  const again = await send(first);
  assert.deepEqual([again.notification_id, again.is_repeat], [id, true]);
  await refused(stack.request(user));
});

test('Security alerts pass, and do not count.', async () => {
  const user = await stack.user({});
  await batch(requests(user, 60));
  await send(stack.request(user, { type: 'security' }));
  assert.equal(await stack.redis('GET', `ratelimit:user.1m:{${user.id}}`), '60');
});

test('Nodes count together: of what two are asked at once, exactly the limit passes.', async () => {
  const node = await stack.another('node-b');
  const user = await stack.user({});
  const calls = requests(user, 120).map(async (request, i) => {
    const client = i % 2 === 0 ? stack.client : node.client;
    return send(request, client).then(() => true, (error) => error.code);
  });
  const answers = await Promise.all(calls);
  assert.equal(counted(answers), 60);
  assert.deepEqual([...new Set(answers)].sort(), ['RESOURCE_EXHAUSTED', true].sort());
});

test('If it is so configured, what is over the limit is suppressed, and explain says by which.', async () => {
  const node = await stack.another('node-c', { NOTIFY_LIMITS_OVER: 'suppress',
    NOTIFY_LIMITS_TYPES: 'promotion user 2/1d' });
  const user = await stack.user({});
  for (let i = 0; i < 2; i++) {
    const answer = await send(stack.request(user, { type: 'promotion' }), node.client);
    assert.equal(answer.status, 'NOTIFICATION_STATUS_PENDING');
  }
  const over = await send(stack.request(user, { type: 'promotion' }), node.client);
  assert.equal(over.status, 'NOTIFICATION_STATUS_SUPPRESSED');
  const other = await send(stack.request(user), node.client);
  assert.equal(other.status, 'NOTIFICATION_STATUS_PENDING', 'another type');
  const { stdout } = await stack.program(['explain', over.notification_id]);
  assert.match(stdout, /decided: suppress/);
  assert.match(stdout, /rate_limit.*limit user\.1d\.promotion = 2, counted 2, left 0/);
  assert.equal((await stack.simulator.received(user.devices[0]))
    .filter((push) => push.payload.notification_id === over.notification_id).length, 0);
  const metrics = await (await fetch(`${node.admin}/metrics`)).text();
  assert.match(metrics, /^notification_limits_reached_total\{limit="user.1d"\} 1$/m);
});

test('Callers at one address have a limit, where one is set.', async () => {
  const node = await stack.another('node-d', { NOTIFY_LIMITS_IP: '3/1h' });
  const user = await stack.user({});
  assert.equal(counted(await batch(requests(user, 5), node.client)), 3);
  const error = await refused(stack.request(await stack.user({})), node.client);
  assert.equal(error.info.QuotaFailure.violations[0].subject, 'ip:127.0.0.1');
  assert.ok(error.info.RetryInfo.retry_delay.seconds > 3000);
});

test('While Redis hangs, nobody is refused for that, and each node counts for itself.', async () => {
  const user = await stack.user({});
  await stack.redis('CLIENT', 'PAUSE', '3000', 'ALL');
  assert.equal(counted(await batch(requests(user, 70))), 60);
  const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
  assert.match(metrics, /^notification_limits_counted_locally_total 70$/m);
  assert.match(metrics, /^notification_limits_failures_total\{step="take"\} [1-9]/m);
});
