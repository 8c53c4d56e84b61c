// PostgreSQL goes away and comes back, under load.

import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('postgres');
let cluster;
before(async () => { cluster = await Cluster.start({ NOTIFY_RECOVER_SWEEP_INTERVAL: '2s' }); });
after(() => cluster?.stop());

test('PostgreSQL is stopped without warning and started: nothing is lost or repeated.', async (t) => {
  await cluster.verdict(t, 'PostgreSQL restarted × 3', async () => {
    for (const away of [0, random.between(500, 3000), 6000]) {
      await sleep(random.between(1000, 3000));
      await cluster.fault('postgres restarted', async () => {
        await cluster.postgres('stop'); // immediate: as a crash
        await sleep(away);
        await cluster.postgres('start');
      });
    }
    await sleep(2000);
  });
});

test('PostgreSQL ends the connections, again and again: nothing is lost or repeated.', async (t) => {
  await cluster.verdict(t, 'backends terminated × 10', async () => {
    for (let i = 0; i < 10; i++) {
      await sleep(random.between(50, 600));
      await cluster.fault('postgres cut', () => cluster.sql(`SELECT count(pg_terminate_backend(pid))
        FROM pg_stat_activity WHERE datname = 'notification' AND pid <> pg_backend_pid()`));
    }
    await sleep(1000);
  });
});
