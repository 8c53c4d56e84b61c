// Redis is away for so long that accepting comes to its stated bound.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';

const unqueuedMax = 200; // of each of the three nodes
let cluster;
before(async () => {
  cluster = await Cluster.start({
    NOTIFY_ACCEPT_UNQUEUED_MAX: String(unqueuedMax), NOTIFY_RECOVER_SWEEP_INTERVAL: '2s',
  });
});
after(() => cluster?.stop());

test('With Redis away callers are refused at the bound, and served when what waits is queued.', async (t) => {
  await cluster.verdict(t, 'Redis away for 10 s, bound reached', async () => {
    await sleep(1000);
    await cluster.fault('redis killed', async () => {
      await cluster.killRedis();
      await sleep(8000);
      const before = cluster.load.refusals.get('RESOURCE_EXHAUSTED') ?? 0;
      assert.ok(before > 0, 'the bound was reached');
      const accepted = Number(await cluster.sql('SELECT count(*) FROM notification_history'));
      await sleep(2000);
      assert.ok(cluster.load.refusals.get('RESOURCE_EXHAUSTED') > before, 'and stays reached');
      assert.equal(Number(await cluster.sql('SELECT count(*) FROM notification_history')), accepted);
      await cluster.startRedis();
    });
  });
});
