// Reading: one notification, and a user's list page by page.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Stack } from './stack.mjs';

let stack;
before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

const list = (user, fields = {}) => stack.client.call('ListNotifications', { user_id: user.id, ...fields });
const page = async (user, fields) => {
  const { notifications, next_page_token: next } = await list(user, fields);
  return { ids: notifications.map((notification) => notification.notification_id), next };
};

/** A UUIDv7 of an instant. */
function uuidV7(ms) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(ms, 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}

const day = 24 * 3600 * 1000;
for (const [what, id] of Object.entries({
  'of version 4': randomUUID(),
  'of version 7 that was never given out': uuidV7(Date.now()),
  'from before the history begins': uuidV7(Date.now() - 100 * day),
  'from the future': uuidV7(Date.now() + 100 * day),
  'with nothing but zeros': '00000000-0000-0000-0000-000000000000',
  'with nothing but ones': 'ffffffff-ffff-ffff-ffff-ffffffffffff',
})) {
  test(`GetNotification of an id ${what} is NOT_FOUND.`, async () => {
    await assert.rejects(stack.get(id), (error) => {
      assert.equal(error.code, 'NOT_FOUND');
      assert.equal(error.info.ErrorInfo.reason, 'NOT_FOUND');
      assert.equal(error.info.ErrorInfo.domain, 'notification.whispr');
      return true;
    });
  });
}

for (const id of ['', 'x', '0'.repeat(36), `{${randomUUID()}}`, randomUUID().replaceAll('-', ''),
  `${randomUUID()} `, 'a'.repeat(10_000)]) {
  test(`GetNotification of "${id.slice(0, 40)}" is INVALID_ARGUMENT and names the field.`, async () => {
    await assert.rejects(stack.get(id), { code: 'INVALID_ARGUMENT', fields: ['notification_id'] });
  });
}

test('An id may be written in capitals.', async () => {
  const id = await stack.send(await stack.user());
  assert.equal((await stack.get(id.toUpperCase())).notification.notification_id, id);
});

test('A user who never had a notification has an empty list.', async () => {
  assert.deepEqual(await page({ id: randomUUID() }), { ids: [], next: '' });
});

test('A list of 45 comes in pages: newest first, none twice, none missing.', async () => {
  const [user, other] = [await stack.user(), await stack.user()];
  const sent = [];
  for (let i = 0; i < 45; i++) {
    sent.push(await stack.send(user));
    if (i % 5 === 0) await stack.send(other);
  }
  const newestFirst = [...sent].reverse();

  for (const size of [20, 0, 1, 44, 45, 46, 100]) {
    const pages = [];
    for (let token = ''; pages.length === 0 || token !== '';) {
      const { ids, next } = await page(user, { page_size: size, page_token: token });
      assert.ok(ids.length <= (size || 20), `${ids.length} on a page of ${size || 20}`);
      pages.push(ids);
      token = next;
      assert.ok(pages.length <= 46, 'the list ends');
    }
    assert.deepEqual(pages.flat(), newestFirst, `with page_size ${size}`);
    assert.equal(pages.length, Math.ceil(45 / (size || 20)), `pages of ${size || 20}`);
  }
});

test('What arrives between two pages moves nothing.', async () => {
  const user = await stack.user();
  const sent = [];
  for (let i = 0; i < 6; i++) sent.push(await stack.send(user));
  const first = await page(user, { page_size: 3 });
  await stack.send(user);
  const second = await page(user, { page_size: 3, page_token: first.next });
  assert.deepEqual([...first.ids, ...second.ids], sent.reverse());
  assert.equal(second.next, '');
});

test('A list tells each notification in full.', async () => {
  const user = await stack.user({});
  const id = await stack.send(user, { data: { a: 'b' }, labels: { c: 'd' }, priority: 'PRIORITY_LOW' });
  await stack.settled(id);
  const { notifications: [listed] } = await list(user);
  assert.deepEqual(listed, (await stack.get(id)).notification);
});

for (const size of [-1, 101, 2 ** 31 - 1, -(2 ** 31)]) {
  test(`A page_size of ${size} is INVALID_ARGUMENT.`, async () => {
    await assert.rejects(list({ id: randomUUID() }, { page_size: size }),
      { code: 'INVALID_ARGUMENT', fields: ['page_size'] });
  });
}

for (const [what, token] of Object.entries({
  'that is no base64': '!!!',
  'that is too short': 'AAAA',
  'that is too long': 'A'.repeat(1000),
  'that holds no UUIDv7': randomBytes(16).fill(0).toString('base64url'),
  'that was changed': 'AZ.quite-a-different-one',
})) {
  test(`A page_token ${what} is INVALID_ARGUMENT.`, async () => {
    await assert.rejects(list({ id: randomUUID() }, { page_token: token }),
      { code: 'INVALID_ARGUMENT', fields: ['page_token'] });
  });
}

test('All that is wrong with a list request is named at once.', async () => {
  await assert.rejects(list({ id: 'x' }, { page_size: -5, page_token: '?' }),
    { code: 'INVALID_ARGUMENT', fields: ['user_id', 'page_size', 'page_token'] });
});
