// Brings together what checker.mjs compares.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

/** Times leave PostgreSQL as milliseconds since 1970. */
const ms = (column) => `floor(extract(epoch FROM ${column}) * 1000)::bigint`;

/** The rows of a query, each a list of texts; there may be a million. */
async function query(stack, sql) {
  const child = spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', path.join(stack.dir, 'pg'), '-U', 'postgres',
    '-d', 'notification', '-c', `COPY (${sql}) TO STDOUT WITH (DELIMITER '|', NULL '')`],
  { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  const rows = [];
  for await (const line of readline.createInterface({ input: child.stdout })) rows.push(line.split('|'));
  const code = await ended;
  if (code !== 0) throw new Error(`psql ended with ${code}`);
  return rows;
}

/** Every request the simulator has had, from its file. */
export async function readReceipts(file) {
  const receipts = [];
  for await (const line of readline.createInterface({ input: fs.createReadStream(file) })) {
    const { at, apns_id: apns, token, status, fault, connection, payload } = JSON.parse(line);
    receipts.push({
      at: Date.parse(at), apns, token, status, fault, connection, notification: payload.notification_id,
    });
  }
  return receipts;
}

/** Of a stack at rest: nothing may come in between the three. */
export async function collect(cluster) {
  const rows = await query(cluster, `SELECT id, user_id, message_id, status,
    ${ms('coalesce(delivered_at, expired_at)')} FROM notification_history`);
  const attempts = await query(cluster, `SELECT notification_id, device_id, status, ${ms('attempted_at')},
    ${ms('next_retry_at')} FROM delivery_attempts`);
  const due = await query(cluster, `SELECT notification_id, ${ms('due_at')} FROM due`);
  await cluster.simulator.get('/received?limit=1'); // writes out what is buffered
  return {
    now: Date.now(),
    asked: [...cluster.load.asked.values()].map(({ request, user, ids, toldAt }) => ({
      message: request.message_id, user, ids, toldAt,
    })),
    users: cluster.users,
    rows: rows.map(([id, user, message, status, end]) => ({
      id, user, message, status, end: Number(end) || undefined,
    })),
    attempts: attempts.map(([notification, device, status, at, next]) => ({
      notification, device, status, at: Number(at), next: Number(next) || undefined,
    })),
    due: due.map(([notification, at]) => ({ notification, at: Number(at) })),
    receipts: await readReceipts(path.join(cluster.dir, 'simulator/received.jsonl')),
    faults: cluster.faults,
  };
}
