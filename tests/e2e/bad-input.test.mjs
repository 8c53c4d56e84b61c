// What a caller can send wrongly: each is refused with the exact code, names its fields, stores
// nothing, and does not disturb the service.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { wire } from './client.mjs';
import { Stack } from './stack.mjs';

let stack;
let user;
let rowsBefore;
let pidBefore;
const tables = ['notification_history', 'delivery_attempts', 'due'];
const countRows = () => stack.sql(tables.map((table) => `SELECT count(*) FROM ${table}`).join(' UNION ALL '));

before(async () => {
  stack = await Stack.start();
  user = await stack.user({});
  await stack.settled(await stack.send(await stack.user({})));
  rowsBefore = await countRows();
  pidBefore = stack.service.pid;
});
after(() => stack?.stop());

/** Asserts a refusal that names exactly these fields, and returns the error. */
async function refused(call, fields) {
  const error = await call.then(() => assert.fail('it was accepted'), (failure) => failure);
  assert.equal(error.code, 'INVALID_ARGUMENT', error.stack);
  assert.deepEqual(error.fields, fields);
  assert.equal(error.info.ErrorInfo.reason, 'INVALID_REQUEST');
  assert.equal(error.info.ErrorInfo.domain, 'notification.whispr');
  for (const { field, description } of error.info.BadRequest.field_violations) {
    assert.ok(description.length > 10, `${field}: "${description}" explains something`);
  }
  assert.ok(error.text.startsWith(fields[0]), `"${error.text}" begins with the field`);
  return error;
}

const entries = (count, value = 'v') => Object.fromEntries(
  Array.from({ length: count }, (_, i) => [`key_${i}`, value]));
const seconds = (offset) => ({ seconds: Math.floor(Date.now() / 1000) + offset, nanos: 0 });
const day = 24 * 3600;

/** name: [fields of the request, fields refused, what the description says]. */
const cases = {
  'no user_id': [{ user_id: '' }, ['user_id'], /UUID/],
  'a user_id that is no UUID': [{ user_id: 'alice' }, ['user_id'], /UUID/],
  'a user_id in braces': [{ user_id: `{${randomUUID()}}` }, ['user_id']],
  'a user_id without hyphens': [{ user_id: randomUUID().replaceAll('-', '') }, ['user_id']],
  'a user_id with a letter too many': [{ user_id: `${randomUUID()}a` }, ['user_id']],
  'a user_id that is no hexadecimal': [{ user_id: randomUUID().replace(/^./, 'g') }, ['user_id']],
  'a user_id with SQL in it': [{ user_id: "' OR 1=1; DROP TABLE notification_history; --" }, ['user_id']],
  'a malformed conversation_id': [{ conversation_id: 'c' }, ['conversation_id'], /UUID/],
  'a malformed message_id': [{ message_id: 'm' }, ['message_id'], /UUID/],
  'no type': [{ type: '' }, ['type'], /lower-case/],
  'a type of 51 characters': [{ type: 'a'.repeat(51) }, ['type'], /50/],
  'a type in capitals': [{ type: 'Message' }, ['type']],
  'a type that begins with a digit': [{ type: '1st' }, ['type']],
  'a type with a line break at its end': [{ type: 'message\n' }, ['type']],
  'no title': [{ title: '' }, ['title'], /required/],
  'a title of 256 characters': [{ title: 'é'.repeat(256) }, ['title'], /256 characters.*255/],
  'a title with U+0000': [{ title: 'a\u0000b' }, ['title'], /control.*byte 1/],
  'a title with an escape sequence': [{ title: '\u001b[31mred' }, ['title'], /control/],
  'a title with U+0085': [{ title: 'next\u0085line' }, ['title'], /control/],
  'a body of 2,049 bytes': [{ body: 'b'.repeat(2049) }, ['body'], /2049 bytes.*2048/],
  'a body of 1,025 characters of two bytes': [{ body: 'é'.repeat(1025) }, ['body'], /2050 bytes/],
  'a body with U+0000': [{ body: '\u0000' }, ['body'], /control/],
  'a body with U+007F': [{ body: 'a\u007f' }, ['body'], /control/],
  'a collapse_id of 65 bytes': [{ collapse_id: 'c'.repeat(65) }, ['collapse_id'], /65 bytes.*64/],
  'a collapse_id with a line break': [{ collapse_id: 'a\r\nevil: header' }, ['collapse_id'], /control/],
  'a collapse_id with a space at its beginning': [{ collapse_id: ' chat' }, ['collapse_id'], /printable ASCII/],
  'a collapse_id with a space at its end': [{ collapse_id: 'chat ' }, ['collapse_id'], /printable ASCII/],
  'a collapse_id with U+00A0': [{ collapse_id: 'chat\u00a042' }, ['collapse_id'], /printable ASCII/],
  'a title of blanks': [{ title: ' \t\n ' }, ['title'], /no title/],
  'a title of characters without width': [{ title: '\u200b\u2060\ufeff' }, ['title'], /no title/],
  'a sound of 101 bytes': [{ sound: 's'.repeat(101) }, ['sound'], /101 bytes.*100/],
  'a sound with a tab': [{ sound: 'a\tb' }, ['sound'], /control/],
  'a category of 65 bytes': [{ category: 'c'.repeat(65) }, ['category'], /65 bytes.*64/],
  'a badge of -1': [{ badge: -1 }, ['badge'], /0 to 1,000,000/],
  'a badge of 1,000,001': [{ badge: 1_000_001 }, ['badge']],
  'priority 99': [{ priority: 99 }, ['priority'], /99.*PRIORITY_HIGH/],
  'priority -1': [{ priority: -1 }, ['priority']],
  'an expiry in the past': [{ expires_at: seconds(-1) }, ['expires_at'], /future/],
  'an expiry in 1970': [{ expires_at: { seconds: 0, nanos: 0 } }, ['expires_at'], /future/],
  'an expiry 29 days ahead': [{ expires_at: seconds(29 * day) }, ['expires_at'], /28 days/],
  'an expiry at the end of time': [{ expires_at: { seconds: Number.MAX_SAFE_INTEGER, nanos: 0 } }, ['expires_at']],
  'an expiry before time': [{ expires_at: { seconds: -1, nanos: 0 } }, ['expires_at']],
  'an expiry with negative nanoseconds': [{ expires_at: { ...seconds(60), nanos: -1 } }, ['expires_at'], /nanoseconds/],
  'an expiry with a second of nanoseconds': [{ expires_at: { ...seconds(60), nanos: 1e9 } }, ['expires_at'], /nanoseconds/],
  'data of 65 entries': [{ data: entries(65) }, ['data'], /65 entries.*64/],
  'data of 1,000 entries': [{ data: entries(1000) }, ['data'], /1000 entries/],
  'a data value of 2,049 bytes': [{ data: { big: 'v'.repeat(2049) } }, ['data["big"]'], /2049 bytes/],
  'a data value with U+0000': [{ data: { nul: '\u0000' } }, ['data["nul"]'], /control/],
  'an empty data key': [{ data: { '': 'v' } }, ['data[entry 1 by key order]'], /key/],
  'a data key of 65 letters': [{ data: { ['k'.repeat(65)]: 'v' } }, ['data[entry 1 by key order]'], /key/],
  'a data key with a space': [{ data: { 'a b': 'v' } }, ['data[entry 1 by key order]']],
  'a data key with a quote': [{ data: { 'a"b': 'v' } }, ['data[entry 1 by key order]']],
  'data that leaves no room for texts': [
    { data: { a: 'v'.repeat(2048), b: 'v'.repeat(1900) } }, ['data'], /payload of 4\d\d\d bytes.*4096.*less data/],
  'little data that grows by escaping': [{ data: { a: '"'.repeat(2048) } }, ['data'], /4096/],
  'labels of 17 entries': [{ labels: entries(17) }, ['labels'], /17 entries.*16/],
  'a label of 65 bytes': [{ labels: { key: 'v'.repeat(65) } }, ['labels["key"]'], /64 bytes/],
  'an empty label': [{ labels: { key: '' } }, ['labels["key"]']],
  'a label with U+0000': [{ labels: { key: '\u0000' } }, ['labels["key"]'], /control/],
  'a background notification with texts': [{ background: true, badge: 1, sound: 's' },
    ['title', 'body', 'sound', 'badge'], /background/],
  'many mistakes at once': [
    { user_id: '1', conversation_id: '2', message_id: '3', type: '4', title: '', body: 'b'.repeat(3000),
      badge: -1, data: { from: 'x' }, priority: 7, expires_at: seconds(-5), collapse_id: 'c'.repeat(99),
      sound: 's'.repeat(200), category: 'c'.repeat(99), labels: { l: '' } },
    ['user_id', 'conversation_id', 'message_id', 'type', 'title', 'body', 'badge', 'data["from"]', 'priority',
      'expires_at', 'collapse_id', 'sound', 'category', 'labels["l"]']],
};
for (const key of ['from', 'message_type', 'collapse_key', 'notification_id', 'preview', 'google', 'google.x', 'gcm_id', 'aps', 'aps-x']) {
  cases[`the reserved data key "${key}"`] = [{ data: { [key]: 'v' } }, [`data["${key}"]`], /reserved/];
}

for (const [what, [fields, expected, description]] of Object.entries(cases)) {
  test(`A request with ${what} is refused.`, async () => {
    const request = stack.request(user, fields);
    const error = await refused(stack.client.call('SendNotification', request), expected);
    if (description) assert.match(error.info.BadRequest.field_violations[0].description, description);
  });
}

test('Of more than 25 mistakes the first 25 are named, and how many more there are.', async () => {
  const data = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`bad key ${i}`, 'v']));
  const error = await stack.client.call('SendNotification', stack.request(user, { data })).catch((e) => e);
  assert.equal(error.code, 'INVALID_ARGUMENT');
  assert.equal(error.fields.length, 26);
  assert.equal(error.fields.at(-1), '*');
  assert.match(error.info.BadRequest.field_violations.at(-1).description, /15 more/);
});

const badUtf8 = {
  'a byte that begins nothing': [0xff],
  'an overlong form': [0xc0, 0xaf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'a code point beyond the last': [0xf4, 0x90, 0x80, 0x80],
  'a character cut short': [0x61, 0xe2, 0x82],
};
const userField = () => wire.bytes(1, user.id);
const typeField = wire.bytes(4, 'message');
for (const [what, bytes] of Object.entries(badUtf8)) {
  test(`A title that is not UTF-8, ${what}, is refused by name.`, async () => {
    const raw = Buffer.concat([userField(), typeField, wire.bytes(5, bytes)]);
    const error = await refused(stack.client.callRaw('SendNotification', raw), ['title']);
    assert.match(error.text, /UTF-8/);
  });
}

test('A data value that is not UTF-8 is refused by name.', async () => {
  const entry = Buffer.concat([wire.bytes(1, 'key'), wire.bytes(2, [0xff, 0xfe])]);
  const raw = Buffer.concat([userField(), typeField, wire.bytes(5, 'Title'), wire.bytes(7, entry)]);
  const error = await stack.client.callRaw('SendNotification', raw).catch((failure) => failure);
  assert.equal(error.code, 'INVALID_ARGUMENT');
  assert.equal(error.fields.length, 1);
  assert.match(error.fields[0], /^data\b.*/);
  assert.match(error.text, /UTF-8/);
  assert.equal(error.info.ErrorInfo.reason, 'INVALID_REQUEST');
});

const garbage = {
  'bytes that are no protobuf': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'a field cut short': Buffer.from([0x0a, 0x24, 0x61]),
  'a length beyond everything': Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  'a varint without an end': Buffer.alloc(20, 0xff),
  'field number 0': Buffer.from([0x02, 0x01, 0x61]),
  'an end of a group that never began': Buffer.from([0x0c]),
  'groups in groups, 10,000 deep': Buffer.alloc(10_000, 0x0b),
};
for (const [what, bytes] of Object.entries(garbage)) {
  for (const method of ['SendNotification', 'GetNotification', 'ListNotifications']) {
    test(`${method} with ${what} is refused.`, async () => {
      const error = await refused(stack.client.callRaw(method, bytes), ['*']);
      assert.match(error.text, new RegExp(`notification\\.${method}Request`));
    });
  }
}

test('An empty request is refused with all fields that it lacks.', async () => {
  await refused(stack.client.callRaw('SendNotification', Buffer.alloc(0)), ['user_id', 'type', 'title']);
});

test('A request of 5 MB is refused as too large, with the limit.', async () => {
  const request = stack.request(user, { body: 'b'.repeat(5_000_000) });
  await assert.rejects(stack.client.call('SendNotification', request), (error) => {
    assert.equal(error.code, 'RESOURCE_EXHAUSTED');
    assert.match(error.text, /larger than max.*1048576/);
    return true;
  });
});

test('A request just under 1 MiB is read, and refused for its body.', async () => {
  const request = stack.request(user, { body: 'b'.repeat(1_048_000) });
  await refused(stack.client.call('SendNotification', request), ['body']);
});

test('A method that does not exist is UNIMPLEMENTED.', async () => {
  await assert.rejects(new Promise((resolve, reject) => {
    stack.client.notifications.makeUnaryRequest('/notification.NotificationService/Nothing',
      (bytes) => bytes, (bytes) => bytes, Buffer.alloc(0), (error, answer) => (error ? reject(error) : resolve(answer)));
  }), { code: 12 });
});

test('Unknown fields of a newer caller are ignored.', async () => {
  const other = await stack.user({});
  const raw = Buffer.concat([wire.bytes(1, other.id), typeField, wire.bytes(5, 'Title'),
    wire.bytes(1000, 'from the future')]);
  const { notification_id: id } = await stack.client.callRaw('SendNotification', raw);
  assert.equal((await stack.settled(id)).status, 'DELIVERED');
  await stack.sql(`DELETE FROM delivery_attempts WHERE notification_id = '${id}'`);
  await stack.sql(`DELETE FROM notification_history WHERE id = '${id}'`);
});

test('After all of this nothing is stored, and the same process serves.', async () => {
  const { notifications } = await stack.client.call('ListNotifications', { user_id: user.id });
  assert.deepEqual(notifications, []);
  assert.equal(await countRows(), rowsBefore);
  assert.deepEqual(await stack.simulator.received(user.devices[0]), []);
  assert.equal(stack.service.pid, pidBefore);
  assert.equal(stack.service.exitCode, null);
  assert.equal((await stack.settled(await stack.send(user))).status, 'DELIVERED');
  assert.deepEqual(stack.leaks().map((leak) => leak.slice(0, 100)), []);
});
