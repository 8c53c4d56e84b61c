// Redis is killed, emptied and set back to an earlier state, under load.

import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('redis');
let cluster;
before(async () => {
  cluster = await Cluster.start({
    NOTIFY_RECOVER_SWEEP_INTERVAL: '2s', NOTIFY_DELIVER_IN_FLIGHT_MAX: '30', NOTIFY_DELIVER_LEASE_MAX: '30',
  });
});
after(() => cluster?.stop());

test('Redis is killed and comes back: what it forgot of the last second is in PostgreSQL.', async (t) => {
  await cluster.verdict(t, 'Redis killed × 3', async () => {
    // The second time for longer than a node's heartbeat lasts.
    for (const away of [random.between(100, 3000), 7000, random.between(100, 3000)]) {
      await sleep(random.between(1000, 3000));
      await cluster.fault('redis killed', async () => {
        await cluster.killRedis();
        await sleep(away);
        await cluster.startRedis();
      });
    }
    await sleep(2000);
  });
});

test('Redis is emptied: the queue is rebuilt.', async (t) => {
  await cluster.verdict(t, 'FLUSHALL × 3', async () => {
    for (let i = 0; i < 3; i++) {
      // Some are with the provider for longer than it takes the other nodes to find them in PostgreSQL.
      await cluster.provider({ delay_ms: 8000, count: 5 });
      await sleep(random.between(500, 3000));
      await cluster.fault('redis emptied', () => cluster.redis('FLUSHALL'));
    }
    await sleep(2000);
  });
});

test('Redis comes back with an old AOF: what it says of long ago is not believed.', async (t) => {
  const aof = path.join(cluster.dir, 'appendonlydir');
  const old = path.join(cluster.dir, 'appendonlydir.old');
  await cluster.verdict(t, 'Redis from an AOF of 8 s ago', async () => {
    // At a slow provider more comes in than goes out: the copy has a queue, which is then worked off.
    await cluster.provider({ delay_ms: 1000, count: -1 });
    await sleep(4000);
    fs.cpSync(aof, old, { recursive: true });
    t.diagnostic(`the copy has a queue of ${await cluster.queued()}`);
    await cluster.provider();
    await sleep(8000);
    t.diagnostic(`when it is put back ${await cluster.queued()} are left`);
    await cluster.fault('redis set back', async () => {
      await cluster.killRedis();
      fs.rmSync(aof, { recursive: true });
      fs.renameSync(old, aof);
      await cluster.startRedis();
    });
    await sleep(3000);
  });
});
