// SIGTERM under load, and a rolling upgrade. The same program stands for the old version and the new.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('upgrade');
let cluster;
before(async () => { cluster = await Cluster.start(); });
after(() => cluster?.stop());

const terminate = async (node) => assert.equal(await node.end('SIGTERM'), 0, `${node.name} ends with 0`);

test('SIGTERM under load, to one and to all: nothing is lost or repeated.', async (t) => {
  await cluster.verdict(t, 'SIGTERM × 5', async () => {
    for (let i = 0; i < 2; i++) {
      await sleep(random.between(500, 1500));
      await cluster.fault('sigterm', async () => {
        const node = random.pick(cluster.nodes);
        await terminate(node);
        await sleep(random.between(0, 1000));
        node.start();
        await node.ready();
      });
    }
    await cluster.fault('sigterm', async () => {
      await Promise.all(cluster.nodes.map(terminate));
      for (const node of cluster.nodes) node.start();
      await cluster.ready();
    });
    await sleep(1000);
  });
});

test('A rolling upgrade: one node after the other, each when the one before serves again.', async (t) => {
  await cluster.verdict(t, 'rolling upgrade', async () => {
    await sleep(1000);
    await cluster.fault('upgrade', async () => {
      for (const node of cluster.nodes) {
        await terminate(node);
        node.start();
        await node.ready();
      }
    });
    await sleep(1000);
  });
});
