// The disk of PostgreSQL is full: first for its tables, then for its log, at which it ends. It stands
// on a small file system of its own, which takes root to make.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../e2e/stack.mjs';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const random = randomFrom('disk');
const skip = process.getuid() !== 0 && 'only root can make a small file system';
let cluster;
before(async () => {
  if (skip) return;
  cluster = await Cluster.start({ NOTIFY_RECOVER_SWEEP_INTERVAL: '2s' },
    { environment: { STACK_POSTGRES_DISK: '192m' } });
});
after(() => cluster?.stop());

/** Takes all room there is but `spare` bytes. */
function fill(file, spare) {
  const { bavail, bsize } = fs.statfsSync(path.dirname(file));
  const chunk = Buffer.alloc(64 << 10);
  const fd = fs.openSync(file, 'w');
  try {
    for (let left = bavail * bsize - spare; left > 0; left -= chunk.length) fs.writeSync(fd, chunk);
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes the log on until there is no room for more of it. */
async function exhaustLog() {
  const next = "SELECT pg_logical_emit_message(false, 'fault', 'more'), pg_switch_wal()";
  await eventually(() => cluster.sql(next).then(() => false, () => true), 20_000, 'the log is full');
}

/** As whoever operates it would: started if it has ended for want of room. Returns whether it had. */
async function revivePostgres() {
  try {
    await eventually(() => cluster.sql('SELECT 1'), 5000);
    return false;
  } catch {
    await cluster.postgres('stop').catch(() => {}); // a part of it may be left
    await cluster.postgres('start');
    return true;
  }
}

test('The disk is full, and has room again: callers are refused, and nothing is lost.', { skip }, async (t) => {
  const ballast = path.join(cluster.dir, 'pg/ballast');
  await cluster.verdict(t, 'disk full × 2', async () => {
    for (const [what, spare] of [['tables', 512 << 10], ['log', 0]]) {
      await sleep(random.between(1000, 2000));
      const refusals = () => [...cluster.load.refusals.values()].reduce((sum, count) => sum + count, 0);
      const earlier = refusals();
      await cluster.fault('disk full', async () => {
        fill(ballast, spare);
        if (what === 'log') await exhaustLog();
        await eventually(() => refusals() - earlier > 200, 60_000, 'callers are refused');
        await sleep(1500);
        fs.rmSync(ballast);
        const had = await revivePostgres();
        t.diagnostic(`no room for the ${what}: PostgreSQL ${had ? 'ended and was started' : 'went on by itself'}`);
      });
    }
    await sleep(2000);
  });
  assert.match(cluster.read('pg/log'), /No space left on device/);
});
