// The service limits what a caller, a stream and a connection may hold of it. A caller that does
// not read is not read, and costs no memory; open streams count; connections have limits.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CallError, Client } from './client.mjs';
import { Stack, eventually } from './stack.mjs';

const MiB = 1 << 20;
let stack;
before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

const memoryOf = (pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

/**
 * Writes messages for so long, or so many, each when the one before has left. Returns how many; the last
 * may still wait.
 */
async function pour(call, make, forMs, most = Infinity) {
  const until = Date.now() + forMs;
  for (let sent = 1; ; sent++) {
    const left = new Promise((resolve) => { call.write(make(sent - 1), () => resolve(true)); });
    const timeLeft = Math.max(until - Date.now(), 0);
    if (!await Promise.race([left, sleep(timeLeft, false)]) || sent === most) return sent;
  }
}

/** Ends the stream, reads all there is, and returns how often each sequence was answered, and the status. */
function readAll(call) {
  const answers = new Map();
  return new Promise((resolve) => {
    call.on('data', ({ results }) => {
      for (const { sequence } of results) answers.set(sequence, (answers.get(sequence) ?? 0) + 1);
    });
    call.on('error', () => {}); // the status says it too
    call.on('status', (status) => resolve({ answers, status }));
    call.end();
  });
}

const perMessage = 1000;
/** Items that are refused at once, by an answer much longer than they are. */
const refused = (i) => ({ items: Array.from({ length: perMessage }, (_, k) => (
  { sequence: i * perMessage + k, notification: {} })) });

test('A caller that streams and does not read is not read: the memory stays, and each item has its answer.', async (t) => {
  const slow = new Client(stack.address);
  const user = await stack.user({});
  await stack.settled(await stack.send(user));
  const before_ = memoryOf(stack.service.pid);
  const call = slow.notifications.StreamNotifications();
  const sent = await pour(call, refused, 3000);
  const grown = memoryOf(stack.service.pid) - before_;
  t.diagnostic(`${sent} messages sent; ${(before_ / MiB).toFixed(0)} MiB before, ${(grown / MiB).toFixed(1)} more after`);
  assert.ok(grown < 48 * MiB, `it grew by ${grown} bytes`);
  assert.equal((await stack.settled(await stack.send(user))).status, 'DELIVERED', 'others are served meanwhile');

  const { answers, status } = await readAll(call);
  assert.equal(status.code, 0, `no message was over the 4 MiB that clients take: ${status.details}`);
  assert.equal(answers.size, sent * perMessage);
  assert.deepEqual([...answers.values()].filter((count) => count !== 1), []);
  slow.close();
});

test('Many streams that nobody reads cost little memory too.', async (t) => {
  const slow = new Client(stack.address);
  const before_ = memoryOf(stack.service.pid);
  const calls = Array.from({ length: 50 }, () => slow.notifications.StreamNotifications());
  for (const call of calls) call.on('error', () => {}); // they are cancelled
  await Promise.all(calls.map((call) => pour(call, refused, 3000)));
  const grown = memoryOf(stack.service.pid) - before_;
  t.diagnostic(`${(grown / MiB).toFixed(1)} MiB more`);
  assert.ok(grown < 150 * MiB, `it grew by ${grown} bytes`);
  for (const call of calls) call.cancel();
  slow.close();
});

test('A stream of which nothing is read until its end has every answer, in messages below 4 MiB.', async () => {
  const slow = new Client(stack.address);
  const users = await Promise.all(Array.from({ length: 50 }, () => stack.user({})));
  const call = slow.notifications.StreamNotifications();
  const good = (i) => ({ items: Array.from({ length: 500 }, (_, k) => (
    { sequence: i * 500 + k, notification: stack.request(users[k % 50], { message_id: randomUUID() }) })) });
  const sent = await pour(call, good, 1500, 12);
  const { answers, status } = await readAll(call);
  assert.equal(status.code, 0, status.details);
  assert.equal(answers.size, sent * 500);
  slow.close();
});

/** Opens a stream and waits until it has answered one item, or has ended. */
function openStream(client, item) {
  const call = client.notifications.StreamNotifications();
  return new Promise((resolve) => {
    call.on('data', (answer) => resolve({ call, answer: answer.results[0].result }));
    call.on('error', () => {}); // the status says it too
    call.on('status', (status) => resolve({ call, error: new CallError(status) }));
    call.write({ items: [item] });
  });
}

test('An open stream counts against its caller, and no longer once it has ended.', async () => {
  const small = await stack.another('small', { NOTIFY_GRPC_IN_FLIGHT_MAX: '20' });
  const user = await stack.user({});
  const item = { sequence: 1, notification: {} };
  const open = [];
  let refusal;
  while (!refusal && open.length < 21) {
    const { call, error } = await openStream(small.client, item);
    if (error) refusal = error;
    else open.push(call);
  }
  assert.equal(refusal?.code, 'RESOURCE_EXHAUSTED');
  assert.equal(refusal.info.ErrorInfo.reason, 'OVERLOADED');
  assert.ok(refusal.info.RetryInfo, 'it says when to come back');
  assert.equal(open.length, 16, 'four fifths of twenty');
  for (const call of open) call.end();
  await eventually(async () => (await openStream(small.client, item)).answer, 5000, 'a stream can be opened again');
  assert.ok((await small.client.call('SendNotification', stack.request(user))).notification_id);
  assert.equal(await small.end(), 0);
});

/** Opens a bare HTTP/2 connection, and notes what happens to it. */
async function connection(address) {
  const session = http2.connect(`http://${address}`);
  const seen = { session, pings: 0, goaway: undefined, closed: false };
  session.on('ping', () => { seen.pings++; });
  session.on('goaway', (code) => { seen.goaway = code; });
  session.on('close', () => { seen.closed = true; });
  session.on('error', () => {}); // 'goaway' says it too
  const settings = new Promise((resolve) => { session.once('remoteSettings', resolve); });
  return { seen, settings: await settings };
}

test('A connection has a limit of streams, is pinged when it is silent, and is closed when it is idle.', async () => {
  const limits = { NOTIFY_GRPC_STREAMS_MAX: '7', NOTIFY_GRPC_PING_INTERVAL: '1s', NOTIFY_GRPC_IDLE_TIMEOUT: '4s' };
  const node = await stack.another('limited', limits);
  const { seen, settings } = await connection(node.address);
  assert.equal(settings.maxConcurrentStreams, 7);
  await eventually(() => seen.pings > 1, 10_000, 'it is pinged');
  await eventually(() => seen.closed, 15_000, 'it is closed');
  assert.notEqual(seen.goaway, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  assert.equal(await node.end(), 0);
});

test('A client that pings too often is told to calm down, and no other connection.', async () => {
  const { seen } = await connection(stack.address);
  const other = await connection(stack.address);
  for (let i = 0; i < 20 && !seen.closed; i++) {
    seen.session.ping(() => {});
    await sleep(20);
  }
  await eventually(() => seen.closed, 5000, 'it is closed');
  assert.equal(seen.goaway, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  assert.equal(other.seen.closed, false);
  other.seen.session.close();
});
