// Dead letters and their replay, by gRPC and by the command line.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Stack, eventually } from './stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start({
    NOTIFY_DELIVER_RETRY_DELAYS: '1s',
    NOTIFY_RECOVER_SWEEP_INTERVAL: '1s',
  });
});
after(() => stack?.stop());

const at = (timestamp) => timestamp.seconds * 1000 + timestamp.nanos / 1e6;
const command = (args, options) => stack.program([...args, '--address', stack.address],
  { env: { USER: 'dora' }, ...options });

/** A user, and so many notifications that Apple refuses for good. */
async function dead(count = 1, fields = {}, reason = 'BadCollapseId') {
  const user = await stack.user({});
  await stack.simulator.fault({ status: 400, reason, count }, user.devices[0]);
  const ids = [];
  for (let i = 0; i < count; ++i) ids.push(await stack.send(user, { message_id: randomUUID(), ...fields }));
  for (const id of ids) assert.equal((await stack.settled(id)).status, 'FAILED');
  return { user, ids };
}

const mine = (user, fields = {}) => ({ filter: { user_id: user.id, ...fields } });
const statusOf = async (id) => (await stack.get(id)).notification.status.replace('NOTIFICATION_STATUS_', '');
const delivered = (ids) => eventually(async () => {
  for (const id of ids) if (await statusOf(id) !== 'DELIVERED') return false;
  return true;
}, 15_000, 'all are delivered');
const counts = ({ matched, replayed, expired, waiting, changed }) => ({ matched, replayed, expired, waiting, changed });
const none = { matched: 0, replayed: 0, expired: 0, waiting: 0, changed: 0 };

test('A dead letter is listed, shown, replayed and delivered, and its story tells so.', async () => {
  const { user, ids: [id] } = await dead();
  const { dead_letters: [letter], next_page_token: next } = await stack.client.listDeadLetters(mine(user));
  assert.equal(letter.notification_id, id);
  assert.equal(letter.user_id, user.id);
  assert.equal(letter.provider, 'apns');
  assert.equal(letter.error_code, '400 BadCollapseId');
  assert.equal(letter.type, 'message');
  assert.equal(letter.waiting, false);
  assert.equal(letter.replayed_at, null);
  assert.ok(at(letter.attempted_at) >= at(letter.created_at));
  assert.equal(next, '');

  const heard = await stack.client.replay(mine(user));
  const end = heard.at(-1);
  assert.equal(end.state, 'REPLAY_STATE_DONE');
  assert.deepEqual(counts(end), { ...none, matched: 1, replayed: 1 });
  assert.equal(heard[0].job_id, end.job_id);
  await delivered([id]);
  const { attempts, replays, notification } = await stack.get(id);
  assert.deepEqual(attempts.map((attempt) => attempt.retry_count), [0, 1]);
  assert.deepEqual(attempts.map((attempt) => attempt.provider), ['apns', 'apns']);
  assert.equal(replays.length, 1);
  assert.equal(replays[0].job_id, end.job_id);
  assert.ok(at(notification.delivered_at) > at(replays[0].replayed_at));
  assert.equal(await stack.sql('SELECT count(*) FROM due'), '0');
  assert.deepEqual((await stack.client.listDeadLetters(mine(user))).dead_letters, []);
  const { stdout } = await stack.program(['explain', id]);
  assert.match(stdout, new RegExp(`replayed by job ${end.job_id}: every device that did not accept it is tried anew$`, 'm'));
  assert.match(stdout, /try 2, .*: the provider accepted it$/m);
});

test('A replay takes what fits its filter and leaves the rest.', async () => {
  const topic = await dead(2);
  const priority = await dead(1, { type: 'call', expires_at: { seconds: Math.floor(Date.now() / 1000) + 3600 } }, 'BadPriority');
  const everyone = (fields) => ({ filter: fields, dry_run: true });
  for (const [filter, matched] of [
    [{ error_code: '400 BadPriority' }, 1],
    [{ provider: 'apns', type: 'call' }, 1],
    [{ provider: 'fcm' }, 0],
    [{ user_id: topic.user.id }, 2],
    [{ user_id: topic.user.id, type: 'call' }, 0],
    [{ notification_id: topic.ids[1] }, 1],
    [{ user_id: topic.user.id, to: { seconds: Math.floor(Date.now() / 1000) - 60 } }, 0],
  ]) {
    const heard = await stack.client.replay(everyone(filter));
    assert.equal(heard.at(-1).matched, matched, JSON.stringify(filter));
  }
  const end = (await stack.client.replay({ filter: { error_code: '400 BadPriority' } })).at(-1);
  assert.deepEqual(counts(end), { ...none, matched: 1, replayed: 1 });
  await delivered(priority.ids);
  for (const id of topic.ids) assert.equal(await statusOf(id), 'FAILED');
});

test('A user without a device, who has one now.', async () => {
  const user = await stack.user();
  const id = await stack.send(user);
  assert.equal((await stack.settled(id)).status, 'FAILED');
  const [letter] = (await stack.client.listDeadLetters(mine(user))).dead_letters;
  assert.equal(letter.error_code, 'no device');
  assert.equal(letter.attempted_at, null);
  const device = { id: randomUUID(), token: randomUUID().replaceAll('-', '').repeat(2), app_id: 'com.whispr.app' };
  await stack.simulator.put('/devices', { user_id: user.id, devices: [device] });
  await stack.client.replay(mine(user, { error_code: 'no device' }));
  // What auth-service said is remembered for a while (devices.cache_ttl); the next replay gets through.
  await eventually(async () => {
    if (await statusOf(id) === 'DELIVERED') return true;
    await stack.client.replay(mine(user));
    return false;
  }, 20_000, 'it is delivered');
});

test('What has expired is skipped and counted, unless its life is extended.', async () => {
  const { user, ids: [id] } = await dead(1, { expires_at: { seconds: Math.floor(Date.now() / 1000) + 2 } });
  await eventually(async () => at((await stack.get(id)).notification.expires_at) < Date.now());
  assert.deepEqual(counts((await stack.client.replay(mine(user))).at(-1)), { ...none, matched: 1, expired: 1 });
  const { stdout } = await command(['replay', '--user', user.id, '--yes']);
  assert.match(stdout, /^expired: 1, skipped; use --extend to send them all the same$/m);
  assert.match((await command(['dead-letters', 'list', '--user', user.id])).stdout, /400 BadCollapseId {2}\(expired\)$/m);

  const { code, stdout: done } = await command(['replay', '--user', user.id, '--extend', '2h', '--yes']);
  assert.equal(code, 0);
  assert.match(done, /^done: 1 dead letter: 1 replayed$/m);
  await delivered([id]);
  const { expires_at: until } = (await stack.get(id)).notification;
  assert.ok(Math.abs(at(until) - Date.now() - 2 * 3600_000) < 60_000, 'it lives two hours more');
  const pushes = await stack.simulator.received(user.devices[0]);
  assert.equal(pushes.at(-1).expiration, String(Math.floor(at(until) / 1000)), 'and Apple knows');
});

test('Two replays at once send each notification once.', async () => {
  const { user, ids } = await dead(30);
  const ends = await Promise.all([1, 2, 3].map(() => stack.client.replay(mine(user))));
  const sum = ends.map((heard) => heard.at(-1).replayed).reduce((a, b) => a + b);
  assert.equal(sum, 30);
  await delivered(ids);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 60);
});

test('What fails again is a dead letter again, and may be replayed again.', async () => {
  const { user, ids: [id] } = await dead();
  await stack.simulator.fault({ status: 400, reason: 'BadCollapseId' }, user.devices[0]);
  await stack.client.replay(mine(user));
  await eventually(async () => (await stack.get(id)).attempts.length === 2);
  assert.equal(await statusOf(id), 'FAILED');
  await eventually(async () => await stack.sql(`SELECT count(*) FROM due WHERE notification_id = '${id}'`) === '0');
  const [letter] = (await stack.client.listDeadLetters(mine(user))).dead_letters;
  assert.ok(letter.replayed_at);
  assert.equal(letter.waiting, false);
  await stack.client.replay(mine(user));
  await delivered([id]);
});

test('A replay keeps to its rate; cancelled, it stops, and the next one does the rest.', async () => {
  const { user, ids } = await dead(12);
  const cancelled = await stack.client.replay({ ...mine(user), rate: 2 },
    (progress, stream) => progress.replayed >= 4 && stream.cancel()).catch((error) => error);
  assert.equal(cancelled.code, 'CANCELLED');
  const replayed = () => stack.sql(`SELECT count(*) FROM replays JOIN notification_history h ON h.id = notification_id WHERE h.user_id = '${user.id}'`).then(Number);
  const job = cancelled.heard[0].job_id;
  await eventually(async () => (await stack.sql(`SELECT detail->>'state' FROM audit_log WHERE subject_id = '${job}' AND action = 'replay.ended'`)) === 'stopped');
  const before = await replayed();
  assert.ok(before >= 4 && before < 12, `${before} were replayed`);
  const started = Date.now();
  await stack.client.replay({ ...mine(user), rate: 4 });
  assert.ok(Date.now() - started >= (12 - before) / 4 * 1000 - 1100, 'not all at once');
  await delivered(ids);
  assert.equal(await replayed(), 12);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 24);
});

test('The audit tells who, what, why, and what came of it; a dry run changes nothing.', async () => {
  const { user, ids: [id] } = await dead();
  const audit = () => stack.sql('SELECT count(*) FROM audit_log').then(Number);
  const before = await audit();
  const dry = (await stack.client.replay({ ...mine(user), dry_run: true })).at(-1);
  assert.deepEqual(counts(dry), { ...none, matched: 1, replayed: 1 });
  assert.equal(await audit(), before);
  assert.equal(await stack.sql(`SELECT count(*) FROM replays WHERE notification_id = '${id}'`), '0');

  const end = (await stack.client.replay({ ...mine(user, { provider: 'apns' }), actor: 'dora', reason: 'the topic was wrong', rate: 50 })).at(-1);
  const rows = await stack.sql('SELECT actor, action, subject_type, detail FROM audit_log '
    + `WHERE subject_id = '${end.job_id}' ORDER BY id`);
  const [start, stop] = rows.split('\n').map((row) => row.split('|'));
  assert.deepEqual(start.slice(0, 3), ['dora', 'replay.started', 'replay']);
  assert.deepEqual(stop.slice(0, 3), ['dora', 'replay.ended', 'replay']);
  const asked = JSON.parse(start[3]);
  assert.equal(asked.reason, 'the topic was wrong');
  assert.equal(asked.rate, 50);
  assert.match(asked.origin, /^ipv4:127\.0\.0\.1$/);
  assert.equal(asked.filter.provider, 'apns');
  assert.equal(asked.filter.user_id, user.id);
  const result = JSON.parse(stop[3]);
  assert.equal(result.state, 'done');
  assert.equal(result.replayed, 1);
  await delivered([id]);
});

test('Dead letters come page by page, and every page says how far it looked.', async () => {
  const { user, ids } = await dead(5);
  const listed = [];
  let token = '';
  do {
    const page = await stack.client.listDeadLetters({ ...mine(user), page_size: 2, page_token: token });
    assert.ok(page.dead_letters.length <= 2 && page.looked_at <= 5);
    listed.push(...page.dead_letters.map((letter) => letter.notification_id));
    token = page.next_page_token;
  } while (token);
  assert.deepEqual(listed, ids);
});

test('What is wrong with a request is named, field by field.', async () => {
  const wrong = {
    filter: { from: { seconds: 1 }, user_id: 'dora', provider: 'APNs', type: 'Call!' }, rate: 20_000, actor: '', extend: { seconds: 1 },
  };
  await assert.rejects(stack.client.replay(wrong), (error) => {
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.deepEqual(error.fields, ['filter.from', 'filter.user_id', 'filter.provider', 'filter.type', 'extend', 'rate', 'actor']);
    return true;
  });
  await assert.rejects(stack.client.listDeadLetters({ page_size: 101, page_token: 'x' }), (error) => {
    assert.deepEqual(error.fields, ['page_size', 'page_token']);
    return true;
  });
  const { code, stderr } = await command(['replay', '--user', 'dora', '--yes']);
  assert.equal(code, 1);
  assert.match(stderr, /^ +filter\.user_id: must be a UUID/m);
});

test('The command line counts, asks, replays and tells.', async () => {
  const { user, ids: [id] } = await dead();
  const list = await command(['dead-letters', 'list', '--user', user.id, '--from', '10m']);
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, new RegExp(`^\\S+Z {2}${id} {2}message {2}apns {2}400 BadCollapseId$`, 'm'));
  assert.match(list.stdout, /^1 dead letter among 1 notification$/m);
  const show = await command(['dead-letters', 'show', id]);
  assert.match(show.stdout, /try 1, device \S+, apns: failed \(400 BadCollapseId: .+\)$/m);
  assert.match(show.stdout, new RegExp(`notification-service replay --id ${id}$`, 'm'));

  const dry = await command(['replay', '--id', id, '--dry-run']);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^dry run: 1 dead letter: 1 would be replayed$/m);
  const no = await command(['replay', '--id', id], { input: 'no\n' });
  assert.equal(no.code, 1);
  assert.match(no.stdout, /1 would be replayed[^]*Replay them\? Type yes:\n/);
  assert.match(no.stderr, /not confirmed: nothing was replayed/);
  const yes = await command(['replay', '--id', id, '--reason', 'the topic is right again'], { input: 'yes\n' });
  assert.equal(yes.code, 0, yes.stderr);
  assert.match(yes.stdout, /^done: 1 dead letter: 1 replayed$/m);
  assert.match(yes.stdout, /^job \S+: the audit has who, why and how many$/m);
  const [, job] = yes.stdout.match(/^job (\S+):/m);
  assert.equal(await stack.sql(`SELECT DISTINCT actor FROM audit_log WHERE subject_id = '${job}'`), 'dora');
  await delivered([id]);
  assert.match((await command(['dead-letters', 'show', id])).stdout, /replayed by job .*[^]*=> delivered: it is no dead letter/);
});

test('Without a service: exit status 1, soon.', async () => {
  for (const args of [['dead-letters', 'list'], ['replay', '--yes', '--actor', 'dora']]) {
    const { code, stderr } = await stack.program([...args, '--address', '127.0.0.1:1']);
    assert.equal(code, 1);
    assert.match(stderr, /^notification-service: .{10,}/m);
  }
});

test('Administering counts as no accepting.', async () => {
  const accepted = async () => (await (await fetch(`${stack.admin}/metrics`)).text())
    .split('\n').filter((line) => /^notification_accept_operations_total/.test(line)).join();
  const before = await accepted();
  assert.notEqual(before, '');
  await stack.client.listDeadLetters({});
  await stack.client.replay({ filter: {}, dry_run: true });
  assert.equal(await accepted(), before);
});

test('At SIGTERM a replay ends with UNAVAILABLE; run again it does the rest.', async () => {
  const { user, ids } = await dead(12);
  let exited;
  const error = await stack.client.replay({ ...mine(user), rate: 1 }, (progress) => {
    if (progress.replayed >= 2) exited ??= stack.endService('SIGTERM', 25_000);
  }).catch((e) => e);
  assert.equal(error.code, 'UNAVAILABLE');
  assert.equal(await exited, 0);
  await stack.startService();
  await stack.client.replay(mine(user));
  await delivered(ids);
  assert.equal((await stack.simulator.received(user.devices[0])).length, 24);
});

test('The logs hold no token, title, body or user id.', () => {
  assert.deepEqual(stack.leaks(), []);
});
