// /readyz goes by what works: a server that is connected and refuses writes is not well.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack, eventually, root, run } from './stack.mjs';

let stack;
before(async () => { stack = await Stack.start({ NOTIFY_RECOVER_SWEEP_INTERVAL: '1s' }); });
after(() => stack?.stop());

/** One part of /readyz, and whether the node is ready. */
async function part(name, admin = stack.admin) {
  const response = await fetch(`${admin}/readyz`);
  const { checks } = await response.json();
  return { status: response.status, ...checks.find((check) => check.name === name) };
}

const becomes = (name, state, detail = /^/) => eventually(async () => {
  const found = await part(name);
  return found.state === state && detail.test(found.detail) && found;
}, 15_000, `${name} is ${state}`);

/** A notification that is accepted in this state reaches its end when the state is over. */
async function acceptedAndDeliveredAfter(undo) {
  const id = await stack.send(await stack.user({}));
  await undo();
  await becomes('redis', 'ok');
  assert.equal((await stack.settled(id, 30_000)).status, 'DELIVERED');
}

test('Redis at maxmemory is degraded, with the reason; the node goes on accepting.', async () => {
  await becomes('redis', 'ok');
  await stack.redis('CONFIG', 'SET', 'maxmemory', '1');
  let undone = false;
  const undo = async () => { undone = true; await stack.redis('CONFIG', 'SET', 'maxmemory', '0'); };
  try {
    assert.equal((await becomes('redis', 'degraded', /no write: Redis: OOM/)).status, 200);
    await acceptedAndDeliveredAfter(undo);
  } finally {
    if (!undone) await undo();
  }
});

test('Redis that lacks its replicas, or is a replica, is degraded, with the reason.', async () => {
  for (const [spoil, mend, reason] of [
    [['CONFIG', 'SET', 'min-replicas-to-write', '1'], ['CONFIG', 'SET', 'min-replicas-to-write', '0'], /NOREPLICAS/],
    [['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], /READONLY|no connection|replica/],
  ]) {
    await becomes('redis', 'ok');
    await stack.redis(...spoil);
    let undone = false;
    const undo = async () => { undone = true; await stack.redis(...mend); };
    try {
      assert.equal((await becomes('redis', 'degraded', reason)).status, 200);
      await acceptedAndDeliveredAfter(undo);
    } finally {
      if (!undone) await undo();
    }
  }
});

test('PostgreSQL that is read-only makes the node not ready; callers are told to come back.', async () => {
  const readOnly = async (value) => {
    await stack.sql(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await stack.sql('SELECT pg_reload_conf()');
  };
  await readOnly('on');
  try {
    assert.equal((await becomes('postgres', 'down', /read-only/)).status, 503);
    const user = await stack.user({});
    await assert.rejects(stack.send(user), (error) => error.code === 'UNAVAILABLE');
    assert.equal((await part('schema')).state, 'ok');
  } finally {
    await stack.sql('ALTER SYSTEM RESET default_transaction_read_only');
    await stack.sql('SELECT pg_reload_conf()');
  }
  await becomes('postgres', 'ok');
  await stack.ready();
  assert.equal((await stack.settled(await stack.send(await stack.user({})))).status, 'DELIVERED');
});

test('With a schema that is too old the node is not ready, and says what to do.', async () => {
  const plan = fs.readFileSync(path.join(root, 'db/sqitch.plan'), 'utf8');
  const names = plan.split('\n').filter((line) => /^[a-z]/.test(line)).map((line) => line.split(' ')[0]);
  const target = `db:pg://postgres@/notification?host=${path.join(stack.dir, 'pg')}`;
  const sqitch = (...words) => run('sqitch', ['--chdir', path.join(root, 'db'), ...words, '--target', target], {
    env: { ...process.env, SQITCH_USER_CONFIG: '/dev/null', SQITCH_FULLNAME: 'test', SQITCH_EMAIL: 'test@localhost' },
  });
  // First what a schema of today's program lacks in the next release; then one that cannot even be asked.
  for (const to of [names.at(-2), 'partitions']) {
    const reverted = await sqitch('revert', '-y', '--to', to);
    assert.equal(reverted.code, 0, reverted.stdout + reverted.stderr);
    const found = await becomes('schema', 'down', /too old/);
    assert.equal(found.status, 503);
    assert.match(found.detail, new RegExp(`${names.at(-1)}.*notification-service migrate`));
  }
  const migrated = await stack.program(['migrate']);
  assert.equal(migrated.code, 0, migrated.stderr);
  await becomes('schema', 'ok');
  await stack.ready();
  assert.equal((await stack.settled(await stack.send(await stack.user({})))).status, 'DELIVERED');
});

test('Caches and rate limits have a Redis of their own, if they are told to; without it all goes on.', async () => {
  const socket = path.join(stack.dir, 'cache.sock');
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'],
    { cwd: stack.dir, stdio: 'ignore' });
  const ended = new Promise((resolve) => { server.on('exit', resolve); });
  const cached = async (...words) => (await run('redis-cli', ['-s', socket, ...words])).stdout.trim();
  try {
    await eventually(async () => await cached('PING') === 'PONG', 10_000, 'the second Redis answers');
    await stack.redis('FLUSHALL');
    const node = await stack.another('cached', { NOTIFY_REDIS_CACHE_URL: `unix://${socket}` });
    await eventually(async () => (await part('redis_cache', node.admin)).state === 'ok', 10_000, 'it is well');
    const user = await stack.user({});
    const { notification_id: id } = await node.client.call('SendNotification', stack.request(user));
    await eventually(async () => /ratelimit:user/.test(await cached('KEYS', '*')), 10_000, 'limits are counted there');
    await eventually(async () => /preferences:user/.test(await cached('KEYS', '*')), 10_000, 'settings are shared there');
    assert.doesNotMatch(await stack.redis('KEYS', '*'), new RegExp(`ratelimit:user\\S*${user.id}`));
    assert.equal((await stack.settled(id)).status, 'DELIVERED');

    server.kill('SIGKILL');
    await ended;
    await eventually(async () => (await part('redis_cache', node.admin)).state === 'degraded', 15_000, 'it is missed');
    assert.equal((await part('redis', node.admin)).state, 'ok', 'the queue is not');
    const later = await node.client.call('SendNotification', stack.request(user));
    assert.equal((await stack.settled(later.notification_id)).status, 'DELIVERED');
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
});
