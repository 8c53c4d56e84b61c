// REST for end users: tokens, whose data is whose, JSON, errors, CORS, limits, the description. By
// fetch and, for what fetch hides, by curl and plain sockets.

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import SwaggerParser from '@apidevtools/swagger-parser';
import { Stack, eventually, run } from './stack.mjs';

const issuer = 'https://id.whispr.example';
const audience = 'notifications';
const page = 'https://app.whispr.example';

/** A key as an identity service has one, and its public half as it publishes it. */
function makeKey(kid) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' } };
}

const [oldKey, newKey, foreignKey] = [makeKey('2026-11'), makeKey('2026-12'), makeKey('2026-11')];

/** The identity service: one document, and how often it was asked for. */
const identity = { keys: [oldKey.jwk], asked: 0 };
identity.server = http.createServer((request, response) => {
  identity.asked++;
  response.setHeader('Cache-Control', 'max-age=3600');
  response.end(JSON.stringify({ keys: identity.keys }));
});

let stack;
let user;
let other;
before(async () => {
  await new Promise((resolve) => identity.server.listen(0, '127.0.0.1', resolve));
  stack = await Stack.start({
    NOTIFY_HTTP_JWKS_FILE: '', // that of the stack
    NOTIFY_HTTP_JWKS_URL: `http://127.0.0.1:${identity.server.address().port}/jwks.json`,
    NOTIFY_HTTP_JWT_ISSUER: issuer,
    NOTIFY_HTTP_JWT_AUDIENCE: audience,
    NOTIFY_HTTP_CORS_ORIGINS: page,
    NOTIFY_HTTP_REQUEST_TIMEOUT: '1s',
    NOTIFY_HTTP_REQUEST_MAX_BYTES: '2KiB',
    NOTIFY_HTTP_PROXIES: '1', // a request without X-Forwarded-For comes from 127.0.0.1
  });
  [user, other] = [await stack.user({}), await stack.user({})];
});
after(async () => {
  identity.server.close();
  await stack?.stop();
});

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token that is good but for `claims`, `header` and `key`. */
function token(of = user, { claims = {}, header = {}, key = oldKey } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const text = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header })}.${encode({
    iss: issuer, aud: audience, sub: of.id, iat: now, exp: now + 300, ...claims })}`;
  const signature = sign('sha256', text, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  const made = `${text}.${signature.toString('base64url')}`;
  stack.secrets.add(made);
  return made;
}

/** One request by fetch; `as` is a token, or nothing. */
async function ask(target, { as = token(), headers = {}, ...options } = {}) {
  const response = await fetch(stack.http + target,
    { ...options, headers: { ...(as && { Authorization: `Bearer ${as}` }), ...headers } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text ? JSON.parse(text) : undefined };
}

/** Asserts an error in its conventional form and returns it. */
async function refused(answer, status, name) {
  const { json, ...got } = await answer;
  assert.equal(got.status, status, got.text);
  assert.match(got.headers.get('content-type'), /^application\/json/);
  assert.equal(json.error.code, status);
  assert.equal(json.error.status, name);
  assert.ok(json.error.message.length > 5, json.error.message);
  assert.equal(json.error.details[0]['@type'], 'type.googleapis.com/google.rpc.ErrorInfo');
  assert.equal(json.error.details[0].domain, 'notification.whispr');
  return { ...got, ...json.error };
}

const list = '/api/v1/notifications';

test('A user sees their notifications, page by page, as gRPC tells them.', async () => {
  const sent = [];
  for (let i = 0; i < 3; i++) sent.push(await stack.send(user, { data: { a: 'b' } }));
  await stack.send(other);
  await stack.allSettled(sent);
  const first = await ask(`${list}?page_size=2`);
  assert.equal(first.status, 200, first.text);
  assert.deepEqual(first.json.notifications.map((one) => one.notification_id), [sent[2], sent[1]]);
  const second = await ask(`${list}?pageSize=2&page_token=${encodeURIComponent(first.json.next_page_token)}`);
  assert.deepEqual(second.json.notifications.map((one) => one.notification_id), [sent[0]]);
  assert.equal(second.json.next_page_token, '');
  const { notification } = await stack.get(sent[0]);
  const [shown] = second.json.notifications;
  assert.equal(shown.title, notification.title);
  assert.equal(shown.status, 'NOTIFICATION_STATUS_DELIVERED');
  assert.equal(shown.priority, 'PRIORITY_MEDIUM');
  assert.deepEqual(shown.data, { a: 'b' });
  assert.match(shown.created_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('A user sees one notification with its attempts, and nobody else does.', async () => {
  const id = await stack.send(user);
  await stack.settled(id);
  const { status, json, headers } = await ask(`${list}/${id}`);
  assert.equal(status, 200);
  assert.equal(json.notification.notification_id, id);
  assert.equal(json.attempts[0].status, 'ATTEMPT_STATUS_DELIVERED');
  assert.equal(headers.get('cache-control'), 'no-store');
  const foreign = await refused(ask(`${list}/${id}`, { as: token(other) }), 404, 'NOT_FOUND');
  const missing = await refused(ask(`${list}/${'0'.repeat(8)}-0000-7000-8000-000000000000`), 404, 'NOT_FOUND');
  assert.deepEqual({ ...foreign, headers: 0 }, { ...missing, headers: 0 }, 'nobody can tell the two apart');
});

const settings = `${list}/settings`;
const change = (verb, target, body, headers = {}) => ask(target,
  { method: verb, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } });

test('A user reads and changes their settings, a part at a time.', async () => {
  const before = await ask(settings);
  assert.equal(before.status, 200, before.text);
  assert.equal(before.json.revision, 0);
  assert.equal(before.headers.get('etag'), null, 'there is nothing yet that could have changed');
  const first = await change('PATCH', settings, { sound_enabled: false, types: { reaction: false }, other: { theme: 'dark' } });
  assert.equal(first.status, 200, first.text);
  assert.equal(first.headers.get('etag'), '"1"');
  const second = await change('PATCH', settings, { types: { call: true }, preview: 'PREVIEW_LEVEL_SENDER' });
  assert.deepEqual(second.json.types, { reaction: false, call: true });
  assert.equal(second.json.sound_enabled, false);
  assert.deepEqual(second.json.other, { theme: 'dark' });
  const third = await change('PATCH', settings, { preview: null });
  assert.equal(third.json.preview, 'PREVIEW_LEVEL_FULL');
  const { details } = await refused(change('PATCH', settings, { notification_sound: 'x'.repeat(101) }), 400, 'INVALID_ARGUMENT');
  assert.equal(details[1].field_violations[0].field, 'settings.notification_sound');
  assert.equal((await stack.client.callPreferences('GetUserSettings', { user_id: user.id })).revision, 3, 'gRPC tells the same');
});

test('Null is no value, and what is not there is refused.', async () => {
  const someone = { as: token(await stack.user({})) };
  const patch = (body) => ask(settings, { ...someone, method: 'PATCH', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  const { json: unset } = await ask(settings, someone);
  const all = { notifications_enabled: false, sound_enabled: false, vibration_enabled: false, notification_sound: 'bell',
    quiet_hours: { enabled: true, start: '22:00', end: '07:00', timezone: 'Europe/Paris' }, preview: 'PREVIEW_LEVEL_NONE',
    types: { call: false, reaction: false }, other: { theme: null }, group_bursts: true };
  const set = await patch(all);
  assert.equal(set.json.other.theme, null, set.text);
  assert.equal((await patch(all)).json.revision, 1, 'the same again');
  assert.deepEqual((await patch({ types: { call: null } })).json.types, { reaction: false });
  const nulls = await patch(Object.fromEntries(Object.keys(all).map((name) => [name, null])));
  assert.deepEqual({ ...nulls.json, revision: 0, updated_at: undefined }, { ...unset, updated_at: undefined });
  for (const [body, field] of [[{ types: { call: 'no' } }, /^settings/], [{ quiet_hours: { days: [null] } }, /^settings.quiet_hours.days\[0\]$/],
    [{ loudness: null }, /^settings.loudness$/], [{ other: { types: {} } }, /^settings.other$/],
    [{ quiet_hours: { timezone: 'localtime' } }, /^settings.quiet_hours.timezone$/]]) {
    const { details } = await refused(patch(body), 400, 'INVALID_ARGUMENT');
    assert.match(details[1].field_violations[0].field, field);
  }
  await refused(ask(`${settings}/quiet-hours`, { ...someone, method: 'PUT' }), 400, 'INVALID_ARGUMENT');
});

test('Who has read an older revision changes nothing.', async () => {
  const { headers } = await ask(settings);
  const good = headers.get('etag');
  assert.equal((await change('PATCH', settings, { sound_enabled: true }, { 'If-Match': good })).status, 200);
  await refused(change('PATCH', settings, { sound_enabled: false }, { 'If-Match': good }), 409, 'ABORTED');
  const hours = { enabled: true, start: '22:00', end: '07:00', timezone: 'Europe/Paris' };
  await refused(change('PUT', `${settings}/quiet-hours`, hours, { 'If-Match': good }), 409, 'ABORTED');
  const set = await change('PUT', `${settings}/quiet-hours`, hours);
  assert.equal(set.json.quiet_hours.start, '22:00', set.text);
  const wrong = await refused(change('PUT', `${settings}/quiet-hours`, { ...hours, start: '25:00' }), 400, 'INVALID_ARGUMENT');
  assert.equal(wrong.details[1].field_violations[0].field, 'quiet_hours.start');
  await change('PUT', `${settings}/quiet-hours`, { enabled: false });
});

test('A conversation is muted and unmuted, and the next notification obeys.', async () => {
  const conversation = randomUUID();
  const path = `${list}/conversations/${conversation}`;
  const status = async () => (await stack.client.call('SendNotification',
    { user_id: user.id, conversation_id: conversation, message_id: randomUUID(), type: 'message', title: 'T' })).status;
  const muted = await change('POST', `${path}/mute`, { muted_until: new Date(Date.now() + 60_000).toISOString() });
  assert.equal(muted.status, 200, muted.text);
  await eventually(async () => await status() === 'NOTIFICATION_STATUS_SUPPRESSED', 1_000, 'the mute is obeyed');
  const listed = await ask(`${list}/conversations`);
  assert.deepEqual(listed.json.conversations.map((one) => one.conversation_id), [conversation]);
  assert.equal((await change('POST', `${path}/unmute`, {})).json.muted_until, undefined);
  await eventually(async () => await status() === 'NOTIFICATION_STATUS_PENDING', 1_000, 'and its end');
  const level = await change('PATCH', `${path}/settings`, { notification_level: 'NOTIFICATION_LEVEL_MENTIONS' });
  assert.equal(level.json.notification_level, 'NOTIFICATION_LEVEL_MENTIONS', level.text);
  assert.equal((await ask(`${path}/settings`)).json.notification_level, 'NOTIFICATION_LEVEL_MENTIONS');
  assert.equal((await ask(`${path}/settings`, { as: token(other) })).json.notification_level, 'NOTIFICATION_LEVEL_ALL',
    'another user has settings of their own for it');
});

test('A request that names another user is forbidden; one that names oneself is not.', async () => {
  await refused(ask(`${list}?user_id=${other.id}`), 403, 'PERMISSION_DENIED');
  assert.equal((await ask(`${list}?user_id=${user.id}`)).status, 200);
});

test('A key that is published later is found when a token names it.', async () => {
  identity.keys = [oldKey.jwk, newKey.jwk];
  assert.equal((await ask(list, { as: token(user, { key: newKey }) })).status, 200);
  assert.equal((await ask(list)).status, 200);
});

test('Names of keys that are made up do not reach the identity service.', async () => {
  const askedBefore = identity.asked;
  for (let i = 0; i < 10; i++) {
    await refused(ask(list, { as: token(user, { header: { kid: `x${i}` } }) }), 401, 'UNAUTHENTICATED');
  }
  assert.equal(identity.asked, askedBefore);
});

const now = () => Math.floor(Date.now() / 1000);
for (const [what, make] of Object.entries({
  'there is none': () => null,
  'it is no token': () => 'x.y.z',
  'it is unsigned': () => `${encode({ alg: 'none' })}.${encode({ sub: user.id, iss: issuer, aud: audience, exp: now() + 60 })}.`,
  'another key has signed it': () => token(user, { key: foreignKey }),
  'its algorithm is said to be HS256': () => token(user, { header: { alg: 'HS256' } }),
  'it is for another audience': () => token(user, { claims: { aud: ['messages'] } }),
  'it is of another issuer': () => token(user, { claims: { iss: `${issuer}/` } }),
  'it has expired': () => token(user, { claims: { exp: now() - 60 } }),
  'it is not valid yet': () => token(user, { claims: { nbf: now() + 60 } }),
  'it never expires': () => token(user, { claims: { exp: undefined } }),
  'it names no user': () => token({ id: 'admin' }),
  'it is a refresh token': () => token(user, { header: { typ: 'rt+jwt' } }),
  'it was changed': () => token().replace(/\.[^.]+\./, `.${encode({ sub: other.id, iss: issuer, aud: audience, exp: now() + 60 })}.`),
})) {
  test(`A token is refused if ${what}.`, async () => {
    const { headers } = await refused(ask(list, { as: make() }), 401, 'UNAUTHENTICATED');
    assert.match(headers.get('www-authenticate'), /^Bearer/);
  });
}

test('An address that sends wrong signatures waits, and the others do not.', async () => {
  const of = (address, as) => ask(list, { as, headers: { 'X-Forwarded-For': address } });
  for (let i = 0; i < 30; i++) assert.equal((await of('192.0.2.7', token(user, { key: foreignKey }))).status, 401);
  const over = await of('192.0.2.7', token());
  assert.equal(over.status, 429);
  assert.ok(Number(over.headers.get('retry-after')) > 1);
  assert.equal((await of('192.0.2.8', token())).status, 200);
});

test('What is wrong with a request is named.', async () => {
  const { details, message } = await refused(ask(`${list}?page_size=101&page_token=!`), 400, 'INVALID_ARGUMENT');
  assert.match(message, /page_size must be/);
  assert.deepEqual(details[1].field_violations.map((one) => one.field), ['page_size', 'page_token']);
  await refused(ask(`${list}?page_size=many`), 400, 'INVALID_ARGUMENT');
  const unknown = await refused(ask(`${list}?nothing=1`), 400, 'INVALID_ARGUMENT');
  assert.equal(unknown.details[1].field_violations[0].field, 'nothing');
  await refused(ask(`${list}/not-an-id`), 400, 'INVALID_ARGUMENT');
});

test('Paths, verbs and bodies that there are not are refused.', async () => {
  await refused(ask('/api/v1/nothing', { as: null }), 404, 'NOT_FOUND');
  const { headers } = await refused(ask(list, { method: 'DELETE' }), 405, 'INVALID_ARGUMENT');
  assert.equal(headers.get('allow'), 'GET, HEAD, OPTIONS');
  const head = await fetch(stack.http + list, { method: 'HEAD', headers: { Authorization: `Bearer ${token()}` } });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
});

test('With PostgreSQL away a user is told to come back.', async () => {
  await stack.postgres('stop');
  try {
    const { headers } = await refused(ask(list), 503, 'UNAVAILABLE');
    assert.ok(Number(headers.get('retry-after')) >= 1);
  } finally {
    await stack.postgres('start');
  }
  await eventually(async () => (await ask(list)).status === 200, 15_000, 'it is back');
});

test('A page of an origin that is configured may ask; others may not.', async () => {
  const preflight = (origin) => fetch(stack.http + list, { method: 'OPTIONS',
    headers: { Origin: origin, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' } });
  const allowed = await preflight(page);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), page);
  assert.match(allowed.headers.get('access-control-allow-headers'), /Authorization/);
  assert.match(allowed.headers.get('access-control-allow-methods'), /GET/);
  const asked = await ask(list, { headers: { Origin: page } });
  assert.equal(asked.headers.get('access-control-allow-origin'), page);
  assert.match(asked.headers.get('vary'), /Origin/);
  for (const origin of ['https://evil.example', 'null', `${page}.evil.example`]) {
    assert.equal((await preflight(origin)).headers.get('access-control-allow-origin'), null);
    const answer = await ask(list, { headers: { Origin: origin } });
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  }
  const unauthorized = await ask(list, { as: null, headers: { Origin: page } });
  assert.equal(unauthorized.headers.get('access-control-allow-origin'), page, 'the page must see why');
});

/** Sends bytes as they are and returns all that comes back. */
function raw(bytes) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(stack.http).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (more) => { text += more; });
    socket.on('end', () => { socket.end(); resolve(text); }).on('error', reject);
  });
}

test('Size and time have limits.', async () => {
  const large = 'x'.repeat(3000);
  assert.match(await raw(`POST ${list} HTTP/1.1\r\nHost: x\r\nContent-Length: ${large.length}\r\n\r\n${large}`),
    /^HTTP\/1\.1 413 [\s\S]*BODY_TOO_LARGE/);
  assert.match(await raw(`GET ${list} HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  const begun = Date.now();
  assert.match(await raw(`GET ${list} HT`), /^HTTP\/1\.1 408 /);
  assert.ok(Date.now() - begun < 5000);
  assert.match(await raw('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

test('curl gets what fetch gets.', async () => {
  const answer = await run('curl', ['-sS', '-i', '-H', `Authorization: Bearer ${token()}`,
    `${stack.http}${list}?page_size=1`]);
  assert.equal(answer.code, 0, answer.stderr);
  assert.match(answer.stdout, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer.stdout, /\r\nContent-Type: application\/json\r\n/);
  assert.match(answer.stdout, /"notifications":\[/);
  const twice = await run('curl', ['-sS', '-v', `${stack.http}/openapi.json`, `${stack.http}/openapi.json`]);
  assert.match(twice.stderr, /Re-using existing connection/);
});

test('The description is valid, and lists what is served.', async () => {
  const { status, json } = await ask('/openapi.json', { as: null });
  assert.equal(status, 200);
  assert.equal(json.openapi, '3.0.3');
  for (const path of [list, `${list}/{notification_id}`, settings, `${list}/conversations`]) assert.ok(json.paths[path].get, path);
  assert.ok(json.paths[settings].patch);
  assert.match(json.paths[list].get.summary, /newest first/);
  await SwaggerParser.validate(json);
});

test('Requests are counted by their result.', async () => {
  const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
  for (const status of [200, 401, 403, 404, 405, 408, 413]) {
    assert.match(metrics, new RegExp(`^notification_rest_results_total\\{status="${status}"\\} [1-9]`, 'm'));
  }
  assert.match(metrics, /^notification_rest_key_fetches_total\{result="done"\} 2$/m);
});

/** Of the latest draft with a header for each. */
const quota = (headers) => ['limit', 'remaining', 'reset'].map((name) => Number(headers.get(`ratelimit-${name}`)));

test('Every answer says what is left of the limit, and over it the answer is 429 with the time to wait.', async () => {
  const busy = await stack.user({});
  const of = { as: token(busy) };
  const path = '/api/v1/notifications/settings';
  const first = await ask(path, of);
  const [limit, remaining, reset] = quota(first.headers);
  assert.deepEqual([first.status, limit, remaining], [200, 300, 299]);
  assert.ok(reset > 50 && reset <= 60, `${reset} s`);
  await stack.redis('INCRBY', `ratelimit:rest_user.1m:{${busy.id}}`, '298');
  assert.equal(quota((await ask(path, of)).headers)[1], 0);
  const over = await ask(path, of);
  assert.equal(over.status, 429);
  const wait = Number(over.headers.get('retry-after'));
  assert.ok(wait > 40 && wait <= 60, `${wait} s`);
  assert.equal(over.json.error.status, 'RESOURCE_EXHAUSTED');
  assert.equal((await ask(path)).status, 200, 'another user');
});

test('No log holds a token, a title or a user.', () => assert.deepEqual(stack.leaks(), []));
