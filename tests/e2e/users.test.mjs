// Who does not exist is sent nothing; without user-service, who was known is, and of others the
// policy decides.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

const send = (stack, user) => stack.client.call('SendNotification', stack.request(user));
const unknown = (stack, user) => stack.simulator.put('/users', { user_id: user.id, known: false });
const noAnswer = (stack) => stack.simulator.call('POST', '/faults',
  { target: 'user', grpc_status: 'UNAVAILABLE', count: -1 });
const calls = async (stack) => (await stack.simulator.stats()).user.calls.ValidateUser ?? {};
/** The part of /readyz that tells of user-service; undefined if there is none. */
async function health(stack) {
  const { checks } = await (await fetch(`${stack.admin}/readyz`)).json();
  return checks.find((check) => check.name === 'user_service');
}
const reasons = async (stack, { notification_id: id }) => (await stack.get(id)).notification.decision.reasons;

describe('With user-service', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ NOTIFY_USER_SERVICE_CACHE_TTL: '2s', NOTIFY_USER_SERVICE_CACHE_UNKNOWN_TTL: '1s' },
      { userService: true });
  });
  after(() => stack?.stop());

  test('who does not exist is sent nothing, and explain says why.', async () => {
    const user = await stack.user({});
    await unknown(stack, user);
    const sent = await send(stack, user);
    assert.equal(sent.status, 'NOTIFICATION_STATUS_SUPPRESSED');
    const { notification } = await stack.get(sent.notification_id);
    assert.equal(notification.decision.rule, 'known_user');
    const story = await stack.program(['explain', sent.notification_id]);
    assert.match(story.stdout, /decided: suppress, by known_user/);
    assert.match(story.stdout, /known_user decided: user-service does not know the user/);
    // Who registers is known soon.
    await stack.simulator.put('/users', { user_id: user.id, known: true });
    await eventually(async () => (await send(stack, user)).status === 'NOTIFICATION_STATUS_PENDING', 5000, 'the user is known');
  });

  test('a batch asks about each user once, and they are remembered.', async () => {
    const users = await Promise.all(Array.from({ length: 5 }, () => stack.user({})));
    const before = (await calls(stack)).OK ?? 0;
    const requests = users.flatMap((user) => [stack.request(user), stack.request(user)]);
    const { results } = await stack.client.call('BatchSendNotifications', { notifications: requests });
    assert.equal(results.length, 10);
    assert.equal((await calls(stack)).OK, before + 5);
  });

  test('while it does not answer who was known is, others by the policy, and then all is as before.', async () => {
    const known = await stack.user({});
    await send(stack, known);
    await eventually(async () => (await health(stack)).state === 'ok', 5000, 'it is healthy');
    await noAnswer(stack);
    const others = await Promise.all(Array.from({ length: 4 }, () => stack.user({})));
    for (const user of others) {
      const sent = await send(stack, user);
      assert.equal((await stack.settled(sent.notification_id)).status, 'DELIVERED');
      assert.match((await reasons(stack, sent))[1].input, /^user-service did not answer, and user_service\.when_down is deliver$/);
    }
    await eventually(async () => (await health(stack)).state === 'degraded', 5000, 'it is told in /readyz');
    // Longer than it is remembered without being asked about again.
    await new Promise((resolve) => { setTimeout(resolve, 2100); });
    assert.equal((await stack.settled((await send(stack, known)).notification_id)).status, 'DELIVERED');
    const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
    assert.match(metrics, /^notification_user_lookups_total{from="stale_cache"} [1-9]/m);
    assert.match(metrics, /^notification_user_lookups_total{from="policy"} [1-9]/m);

    await stack.simulator.clearFaults();
    const gone = await stack.user({});
    await unknown(stack, gone);
    await eventually(async () => (await send(stack, gone)).status === 'NOTIFICATION_STATUS_SUPPRESSED', 8000, 'it is asked again');
    await eventually(async () => (await health(stack)).state === 'ok', 5000, 'it is healthy again');
  });
});

test('With the other policy who is not remembered is sent nothing while it does not answer.', async () => {
  const stack = await Stack.start({ NOTIFY_USER_SERVICE_WHEN_DOWN: 'suppress' }, { userService: true });
  try {
    await noAnswer(stack);
    const sent = await send(stack, await stack.user({}));
    assert.equal(sent.status, 'NOTIFICATION_STATUS_SUPPRESSED');
    assert.match((await reasons(stack, sent)).at(-1).input, /when_down is suppress$/);
  } finally {
    await stack.stop();
  }
});

test('Without an address nobody is asked, and everybody is known.', async () => {
  const stack = await Stack.start();
  try {
    const user = await stack.user({});
    await unknown(stack, user);
    assert.equal((await stack.settled((await send(stack, user)).notification_id)).status, 'DELIVERED');
    assert.deepEqual(await calls(stack), {});
    assert.equal(await health(stack), undefined);
  } finally {
    await stack.stop();
  }
});
