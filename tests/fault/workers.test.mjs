// Processes with three workers each: SIGTERM to one and to all, and kill -9, under load. All else that
// can break does not depend on the number of workers, and is tested with one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('workers');
let cluster;
before(async () => { cluster = await Cluster.start({ NOTIFY_SERVICE_WORKERS: '3' }); });
after(() => cluster?.stop());

const terminate = async (node) => assert.equal(await node.end('SIGTERM'), 0, `${node.name} ends with 0`);

test('Three workers a process: SIGTERM to one and to all, and nothing is lost or repeated.', async (t) => {
  await cluster.verdict(t, 'SIGTERM × 4, 3 workers', async () => {
    await sleep(1000);
    await cluster.fault('sigterm', async () => {
      const node = random.pick(cluster.nodes);
      await terminate(node);
      await sleep(random.between(0, 1000));
      node.start();
      await node.ready();
    });
    await cluster.fault('sigterm', async () => {
      await Promise.all(cluster.nodes.map(terminate));
      for (const node of cluster.nodes) node.start();
      await cluster.ready();
    });
    await sleep(1000);
  });
});

test('Three workers a process: kill -9 of one, three times, and the others take over.', async (t) => {
  await cluster.verdict(t, 'kill -9 × 3, 3 workers', async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(random.between(1000, 2500));
      const node = random.pick(cluster.nodes);
      await cluster.kill(node);
      await sleep(random.between(200, 2000));
      node.start();
      await node.ready();
    }
  });
});
