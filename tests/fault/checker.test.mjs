// The checker must find what it is there to find. A real run without faults satisfies it; then one
// thing is changed, in PostgreSQL or in what the simulator has written down.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, wasAccepted } from './checker.mjs';
import { Cluster } from './cluster.mjs';
import { collect, readReceipts } from './evidence.mjs';

let cluster;
let whole; // the evidence of the undisturbed run
let one; // a notification of it with one device, delivered
before(async () => {
  cluster = await Cluster.start();
  cluster.load.start();
  await sleep(2000);
  assert.equal(await cluster.settle(), 0);
  whole = await collect(cluster);
  const single = new Set(cluster.users.filter((user) => user.devices.length === 1).map((user) => user.id));
  one = whole.rows.find((row) => row.status === 'delivered' && single.has(row.user));
});
after(() => cluster?.stop());

const kinds = (evidence) => [...new Set(check(evidence).problems.map((problem) => problem.kind))].sort();
const receiptOf = (evidence) => evidence.receipts.find((receipt) => receipt.notification === one.id);

/** The evidence after a change of the simulator's file: of `edit`, from its lines to others. */
async function withReceived(edit) {
  const file = path.join(cluster.dir, 'simulator/received.jsonl');
  const changed = path.join(cluster.dir, 'received-changed.jsonl');
  fs.writeFileSync(changed, `${edit(fs.readFileSync(file, 'utf8').trimEnd().split('\n')).join('\n')}\n`);
  return { ...whole, receipts: await readReceipts(changed) };
}

/** What is found after a change of the database; `undo` puts it back. */
async function withSql(change, undo) {
  await cluster.sql(change);
  try {
    return kinds(await collect(cluster));
  } finally {
    await cluster.sql(undo);
  }
}

test('A run without faults: nothing is missing, nothing is repeated.', () => {
  const { counts, problems } = check(whole);
  assert.deepEqual(problems, []);
  assert.ok(counts.told > 200);
  assert.equal(counts.told, counts.rows);
  assert.equal(counts.repeats, 0);
  assert.ok(counts.failed > 0, 'some users have only a dead device');
});

test('A deleted row is missed, by its caller and by the provider.', async () => {
  const found = await withSql(
    `CREATE TABLE kept AS SELECT * FROM notification_history WHERE id = '${one.id}';
     DELETE FROM notification_history WHERE id = '${one.id}'`,
    'INSERT INTO notification_history SELECT * FROM kept; DROP TABLE kept');
  assert.deepEqual(found, ['received without a row', 'told OK without a row']);
  assert.deepEqual(kinds(await collect(cluster)), [], 'and with it again all is well');
});

test('A row that nobody asked for is found.', async () => {
  const id = randomUUID();
  const found = await withSql(
    `INSERT INTO notification_history (id, user_id, message_id, notification_type, title, body, status)
     VALUES ('${id}', '${one.user}', '${randomUUID()}', 'message', 'A title', 'A body', 'delivered')`,
    `DELETE FROM notification_history WHERE id = '${id}'`);
  assert.deepEqual(found, ['a row that nobody asked for', 'never received']);
});

test('A second row for the same request is found.', async () => {
  const id = randomUUID();
  const found = await withSql(
    `INSERT INTO notification_history (id, user_id, message_id, notification_type, title, body, status)
     VALUES ('${id}', '${one.user}', '${one.message}', 'message', 'A title', 'A body', 'pending')`,
    `DELETE FROM notification_history WHERE id = '${id}'`);
  assert.deepEqual(found, ['neither over nor waiting', 'two rows for one request']);
});

test('A row that is still pending is found, and is none if it waits for its time.', async () => {
  const set = (status) => `UPDATE notification_history SET status = '${status}' WHERE id = '${one.id}'`;
  assert.deepEqual(await withSql(set('pending'), set('delivered')), ['neither over nor waiting']);
  assert.deepEqual(await withSql(`${set('pending')}; INSERT INTO due (notification_id, due_at, reason)
    VALUES ('${one.id}', now() AT TIME ZONE 'UTC' + interval '1 minute', 'retry')`,
  `${set('delivered')}; DELETE FROM due`), []);
});

test('A row that says failed though the provider has it is found.', async () => {
  const set = (status) => `UPDATE notification_history SET status = '${status}' WHERE id = '${one.id}'`;
  assert.deepEqual(await withSql(set('failed'), set('delivered')), ['a wrong end']);
});

test('An attempt that is missing is found.', async () => {
  const found = await withSql(
    `CREATE TABLE kept AS SELECT * FROM delivery_attempts WHERE notification_id = '${one.id}';
     DELETE FROM delivery_attempts WHERE notification_id = '${one.id}'`,
    'INSERT INTO delivery_attempts SELECT * FROM kept; DROP TABLE kept');
  assert.deepEqual(found, ['received, and not on record']);
});

test('A receipt that is missing is found.', async () => {
  const evidence = await withReceived((lines) => lines.filter((line) => !line.includes(one.id)));
  assert.deepEqual(kinds(evidence), ['never received']);
});

test('A receipt that is there twice is a repeat, and nothing explains it.', async () => {
  const evidence = await withReceived((lines) => [...lines, lines.find((line) => line.includes(one.id))]);
  assert.deepEqual(kinds(evidence), ['unexplained repeat']);
  assert.equal(check(evidence).counts.repeats, 1);
});

test('Who was told OK for what is not there, or two ids for one request, is found.', () => {
  const asked = whole.asked.map((entry) => ({ ...entry }));
  asked[0].ids = [...asked[0].ids, randomUUID()];
  assert.deepEqual(kinds({ ...whole, asked }), ['told OK without a row', 'told two ids']);
});

/** The attempts, that of `one` being made at another time. */
const attemptsAt = (at) => whole.attempts.map((attempt) => (
  attempt.notification === one.id ? { ...attempt, at } : attempt));

/** A second receipt of `one`, `afterMs` after the first, and these faults. */
function repeated(afterMs, fields, ...faults) {
  const first = receiptOf(whole);
  const at = first.at + afterMs;
  const fault = (item) => ({ ...item, start: first.at + item.start, end: first.at + item.end });
  const attempts = attemptsAt(fields.recordedAt ?? at + 60);
  const quiet = whole.receipts.filter((receipt) => receipt.connection !== first.connection || receipt === first);
  const receipts = [...(fields.quiet === false ? whole.receipts : quiet), { ...first, at, connection: 1e6 }];
  return check({ ...whole, attempts, receipts, faults: faults.map(fault) }).repeats.map((repeat) => repeat.explanation);
}

test('A kill explains a repeat of what the dead process sent and did not record, and no other.', () => {
  const kill = { kind: 'kill', start: 30, end: 35 };
  assert.deepEqual(repeated(5000, {}, kill), ['kill']);
  assert.deepEqual(repeated(5000, {}, { ...kill, start: -60, end: -55 }), ['kill'], 'its last words come later');
  assert.deepEqual(repeated(5000, {}, { ...kill, start: -900, end: -800 }), [undefined], 'before both');
  assert.deepEqual(repeated(5000, {}, { ...kill, start: 6000, end: 6001 }), [undefined], 'after both');
  assert.deepEqual(repeated(5000, { recordedAt: receiptOf(whole).at + 20 }, kill), [undefined], 'on record');
  const others = whole.receipts.filter((receipt) => receipt.connection === receiptOf(whole).connection
    && receipt.at > receiptOf(whole).at + 600);
  assert.ok(others.length > 0, 'the connection lived on');
  assert.deepEqual(repeated(5000, { quiet: false }, { ...kill, end: 31 }), [undefined], 'another process died');
});

test('A loss of Redis explains a repeat around it; PostgreSQL, SIGTERM and a GOAWAY explain none.', () => {
  const during = { start: 1000, end: 1500 };
  const recorded = { recordedAt: receiptOf(whole).at + 20 };
  assert.deepEqual(repeated(5000, recorded, { kind: 'redis set back', ...during }), [undefined], 'on record');
  assert.deepEqual(repeated(5000, {}, { kind: 'redis emptied', ...during }), ['redis emptied']);
  assert.deepEqual(repeated(500, {}, { kind: 'redis emptied', ...during }), [undefined], 'after both');
  for (const kind of ['postgres restarted', 'disk full', 'sigterm', 'upgrade', 'goaway']) {
    assert.deepEqual(repeated(5000, {}, { kind, ...during }), [undefined], kind);
  }
});

test('A cut after the provider accepted explains a repeat on that connection.', () => {
  const first = receiptOf(whole);
  const cut = { ...first, status: 0, fault: 'cut_after' };
  const receipts = whole.receipts.filter((receipt) => receipt !== first && receipt.connection !== first.connection);
  const again = { ...first, at: first.at + 1000, connection: 1e6 };
  const attempts = attemptsAt(again.at + 60);
  const faults = [{ kind: 'provider cut', start: first.at - 100, end: first.at + 100 }];
  assert.ok(wasAccepted(cut));
  const explained = (all) => check({ ...whole, attempts, receipts: all, faults })
    .repeats.map((repeat) => repeat.explanation);
  assert.deepEqual(explained([...receipts, cut, again]), ['provider cut']);
  assert.deepEqual(explained([...receipts, first, again]), [undefined], 'an answer was given');
});
