// The provider winds up connections, and breaks them before and after it has accepted.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('provider');
let cluster;
before(async () => {
  cluster = await Cluster.start({
    NOTIFY_DELIVER_RETRY_DELAYS: '1s,1s,1s,1s,1s', NOTIFY_RECOVER_SWEEP_INTERVAL: '2s',
  });
});
after(() => cluster?.stop());

/** The fault, for one request each time. */
async function times(count, kind, fault) {
  for (let i = 0; i < count; i++) {
    await cluster.fault(kind, async () => {
      await cluster.provider({ ...fault, count: 1 });
      await sleep(random.between(100, 800));
    });
  }
  await sleep(1000);
}

test('The provider says GOAWAY: what it had not begun is sent elsewhere, and nothing twice.', async (t) => {
  const earlier = (await cluster.simulator.stats()).goaways_sent;
  await cluster.verdict(t, 'GOAWAY × 10', () => times(10, 'goaway', { goaway: true }));
  assert.ok((await cluster.simulator.stats()).goaways_sent - earlier >= 9);
});

test('The provider accepts and cuts the connection: sent again, under the same apns-id.', async (t) => {
  await cluster.verdict(t, 'cut after it accepted × 10', () => times(10, 'provider cut', { cut: 'after' }));
});

test('The provider cuts the connection before it accepts.', async (t) => {
  await cluster.verdict(t, 'cut before it accepted × 10', () => times(10, 'provider cut', { cut: 'before' }));
});
