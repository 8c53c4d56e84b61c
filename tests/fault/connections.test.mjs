// Connections between the service and its databases are cut, held up, and cut between what the
// server has done and its answer. Each node has proxies of its own, so that one can be cut off alone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('connections');
let cluster;
before(async () => {
  cluster = await Cluster.start({ NOTIFY_RECOVER_SWEEP_INTERVAL: '2s' }, { proxied: true });
});
after(() => cluster?.stop());

/** Trouble with one proxy of a random node, for so long. */
async function trouble(kind, server, ms, begin) {
  const proxy = random.pick(cluster.nodes)[server];
  await cluster.fault(kind, async () => {
    begin(proxy);
    await sleep(ms);
    proxy.heal();
  });
}

test('Connections to PostgreSQL are cut, refused and held up: nothing is lost or repeated.', async (t) => {
  await cluster.verdict(t, 'PostgreSQL cut × 10, refused × 2, held up × 2', async () => {
    for (let i = 0; i < 10; i++) {
      await sleep(random.between(50, 500));
      await trouble('postgres cut', 'postgres', 0, (proxy) => proxy.cut());
    }
    for (let i = 0; i < 2; i++) {
      await trouble('postgres cut', 'postgres', random.between(500, 3000), (proxy) => proxy.refuse());
      await trouble('postgres cut', 'postgres', random.between(500, 4000), (proxy) => proxy.stall());
    }
    await sleep(1000);
  });
});

test('PostgreSQL commits and its answer is lost: what was accepted is accepted once.', async (t) => {
  const lost = () => cluster.nodes.reduce((sum, node) => sum + node.postgres.lost, 0);
  await cluster.verdict(t, 'answer to COMMIT lost', async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(500);
      await trouble('postgres cut', 'postgres', 1000, (proxy) => proxy.loseAnswersTo('ledger_append'));
    }
    assert.ok(lost() >= 3, `${lost()} answers to accepting were lost`);
    t.diagnostic(`${lost()} answers to accepting were lost`);
    const before = lost();
    for (let i = 0; i < 3; i++) {
      await sleep(500);
      await trouble('postgres cut', 'postgres', 1000, (proxy) => proxy.loseAnswersTo('ledger_insert_attempts'));
    }
    assert.ok(lost() - before >= 3, `${lost() - before} answers to recording were lost`);
    t.diagnostic(`${lost() - before} answers to recording were lost`);
    await sleep(1000);
  });
});

test('Connections to Redis are cut, and answers of its scripts lost.', async (t) => {
  const lost = () => cluster.nodes.reduce((sum, node) => sum + node.redis.lost, 0);
  await cluster.verdict(t, 'Redis cut × 10, answers lost', async () => {
    for (let i = 0; i < 10; i++) {
      await sleep(random.between(50, 500));
      await trouble('redis cut', 'redis', 0, (proxy) => proxy.cut());
    }
    for (let i = 0; i < 3; i++) {
      await sleep(500);
      await trouble('redis cut', 'redis', 700, (proxy) => proxy.loseAnswersTo('EVALSHA', ''));
    }
    assert.ok(lost() >= 3, `${lost()} answers were lost`);
    t.diagnostic(`${lost()} answers were lost`);
    await sleep(1000);
  });
});

test('A node whose connections to Redis hang is taken over while it lives.', async (t) => {
  await cluster.verdict(t, 'a node held up from Redis for 8 s', async () => {
    await sleep(1000);
    await trouble('redis cut', 'redis', 8000, (proxy) => proxy.stall());
    await sleep(1000);
  });
});

test('A node that Redis refuses is taken over while it lives.', async (t) => {
  await cluster.verdict(t, 'a node refused by Redis for 8 s', async () => {
    await sleep(1000);
    await trouble('redis cut', 'redis', 8000, (proxy) => proxy.refuse());
    await sleep(1000);
  });
});
