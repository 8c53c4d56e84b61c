// PostgreSQL waits for a synchronous standby that is not there: commits hang, some are given up, and the
// others come long after their callers went away.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../e2e/stack.mjs';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('standby');
let cluster;
before(async () => {
  cluster = await Cluster.start({ NOTIFY_RECOVER_SWEEP_INTERVAL: '2s' }, { rate: 50 });
});
after(() => cluster?.stop());

const waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
const count = async (what) => Number(await cluster.sql(`SELECT count(${what}) ${waiting}`));

/** Does it while no commit can be confirmed. */
async function withoutStandby(fn) {
  await cluster.fault('standby gone', async () => {
    await cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await cluster.sql('SELECT pg_reload_conf()');
    await eventually(async () => await count('*') > 0, 10_000, 'a commit waits');
    // An answer may be on its way to its caller.
    await sleep(500);
    try {
      await fn();
    } finally {
      await cluster.sql('ALTER SYSTEM RESET synchronous_standby_names');
      await cluster.sql('SELECT pg_reload_conf()');
    }
  });
}

const told = () => [...cluster.load.asked.values()].filter((entry) => entry.toldAt).length;

test('Commits are given up while they wait for a standby: none is told OK, nor is its repeat.', async (t) => {
  await cluster.verdict(t, 'commits given up × 10', async () => {
    await sleep(1000);
    await withoutStandby(async () => {
      const before = told();
      for (let i = 0; i < 10; i++) {
        await sleep(random.between(300, 1500));
        await count(i % 2 === 0 ? 'pg_cancel_backend(pid)' : 'pg_terminate_backend(pid)');
      }
      assert.equal(told(), before, 'nobody is told OK of what no standby has');
    });
    await sleep(1000);
  });
});

test('A commit that hangs for 40 seconds is late, and delivered all the same.', async (t) => {
  await cluster.verdict(t, 'commits hang for 40 s', async () => {
    await sleep(1000);
    await withoutStandby(() => sleep(40_000));
    await sleep(1000);
  });
});
