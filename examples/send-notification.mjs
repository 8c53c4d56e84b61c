// Sends one notification and waits to learn what became of it: a caller's first ten minutes.
//
//   npm ci
//   node send-notification.mjs 127.0.0.1:50051 a11ce000-0000-4000-8000-000000000001 "Dora" "Hi"
//
// Exit status: 0 delivered, 1 not delivered or refused, 2 wrong usage.

import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [address, userId, title, body] = process.argv.slice(2);
if (body === undefined) {
  console.error('usage: node send-notification.mjs <address> <user-id> "<title>" "<body>"');
  process.exit(2);
}

// 1. The contract. In a repository of your own, copy the directory proto/.
const protoDirectory = path.join(path.dirname(fileURLToPath(import.meta.url)), '../proto');
const definitions = protoLoader.loadSync(
  ['notification/notification.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  { includeDirs: [protoDirectory], keepCase: true, enums: String, longs: Number, defaults: true },
);
const { notification } = grpc.loadPackageDefinition(definitions);

// 2. One client for the life of your process: it keeps one connection and reconnects by itself.
const client = new notification.NotificationService(address, grpc.credentials.createInsecure());

/** A call as a promise. Every call has a deadline: without one it could wait for the server's ten
 * seconds. */
function call(method, request, deadlineMs = 5000) {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + deadlineMs };
    client[method](request, options, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** The google.rpc details of an error, by the short name of their type: { BadRequest: ... }. */
function detailsOf(error) {
  const details = {};
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return details; // from the transport, not from the service
  const status = definitions['google.rpc.Status'].deserialize(bytes);
  for (const { type_url: url, value } of status.details) {
    const type = url.slice(url.lastIndexOf('/') + 1);
    const known = definitions[type];
    if (known) details[type.replace('google.rpc.', '')] = known.deserialize(value);
  }
  return details;
}

const { DEADLINE_EXCEEDED, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE } = grpc.status;

/** Sends it, and again if no answer came or the service asks for that. Returns the notification's id. */
async function send(request, triesMax = 5) {
  for (let tries = 1; ; tries++) {
    try {
      const { notification_id: id } = await call('SendNotification', request);
      return id; // it is committed: from here on it cannot get lost
    } catch (error) {
      const details = detailsOf(error);
      const again = [RESOURCE_EXHAUSTED, UNAVAILABLE, DEADLINE_EXCEEDED].includes(error.code);
      if (!again || tries === triesMax) throw error;
      // The service says when to come back. Without its word (the connection failed): one second.
      // The first call may have been accepted: the key makes this one a repeat of it.
      const delay = details.RetryInfo?.retry_delay;
      const ms = delay ? delay.seconds * 1000 + delay.nanos / 1e6 : 1000;
      console.error(`${error.details}; trying again in ${ms} ms`);
      await sleep(ms);
    }
  }
}

/** Waits until it is settled, or for at most 30 seconds. */
async function outcome(id) {
  const until = Date.now() + 30_000;
  for (;;) {
    const story = await call('GetNotification', { notification_id: id });
    const pending = story.notification.status === 'NOTIFICATION_STATUS_PENDING';
    if (!pending || Date.now() > until) return story;
    await sleep(100);
  }
}

try {
  // 3. Send.
  const id = await send({
    user_id: userId,
    type: 'message',
    title,
    body,
    priority: 'PRIORITY_HIGH',
    idempotency_key: randomUUID(),
    sound: 'default',
  });
  console.log(`accepted: ${id}`);

  // 4. Ask what became of it. Most callers need not: the service retries, expires and records.
  const story = await outcome(id);
  for (const attempt of story.attempts) {
    const why = attempt.error_code ? ` (${attempt.error_code}: ${attempt.error_message})` : '';
    console.log(`attempt at device ${attempt.device_id}: ${attempt.status}${why}`);
  }
  console.log(`status: ${story.notification.status}`);
  process.exitCode = story.notification.status === 'NOTIFICATION_STATUS_DELIVERED' ? 0 : 1;
} catch (error) {
  const { BadRequest, ErrorInfo } = detailsOf(error);
  console.error(`refused: ${grpc.status[error.code] ?? error.name}: ${error.details ?? error.message}`);
  if (ErrorInfo) console.error(`reason: ${ErrorInfo.reason} (${ErrorInfo.domain})`);
  if (error.code === INVALID_ARGUMENT) {
    // A mistake of ours: repeating the call would not help.
    for (const { field, description } of BadRequest?.field_violations ?? []) {
      console.error(`  ${field}: ${description}`);
    }
  }
  process.exitCode = 1;
} finally {
  client.close();
}
