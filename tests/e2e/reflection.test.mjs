// What generic tools see: server reflection, the standard health check, and the lint of the contract.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack, here, root, run } from './stack.mjs';

const architecture = { x64: 'x64', arm64: 'aarch64' }[process.arch];
const buf = path.join(here, `node_modules/@bufbuild/buf-linux-${architecture}/bin/buf`);

let stack;
before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

/** A call that knows nothing but the address: everything else comes from reflection. */
const curl = (method, request, ...flags) => run(buf, ['curl', '--protocol', 'grpc',
  '--http2-prior-knowledge', '--data', '@-', ...flags,
  `http://${stack.address}/notification.NotificationService/${method}`],
{ cwd: stack.dir, input: JSON.stringify(request) });

test('A tool sends a notification and reads it back through server reflection.', async () => {
  const user = await stack.user({});
  const sent = await curl('SendNotification', { userId: user.id, type: 'message', title: 'By reflection' });
  assert.equal(sent.code, 0, sent.stderr);
  const { notificationId } = JSON.parse(sent.stdout);
  await stack.settled(notificationId);

  const got = await curl('GetNotification', { notificationId });
  assert.equal(got.code, 0, got.stderr);
  const { notification, attempts } = JSON.parse(got.stdout);
  assert.equal(notification.title, 'By reflection');
  assert.equal(notification.status, 'NOTIFICATION_STATUS_DELIVERED');
  assert.equal(attempts[0].deviceId, user.devices[0].id);
});

test('A tool shows what is wrong with a request.', async () => {
  const refused = await curl('SendNotification', { userId: 'nobody', type: 'message', title: 'Title' });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /invalid_argument/);
  assert.match(refused.stderr, /user_id must be a UUID/);
});

for (const version of ['v1', 'v1alpha']) {
  test(`Reflection ${version} lists the services.`, async () => {
    const listed = await run(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--list-services',
      '--reflect-protocol', `grpc-${version}`, `http://${stack.address}`], { cwd: stack.dir });
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /^notification\.NotificationService$/m);
    assert.match(listed.stdout, /^notification\.AdminService$/m);
    assert.match(listed.stdout, /^notification\.TemplateService$/m);
  });
}

test('The standard health check says SERVING, for the server and for each service by name.', async () => {
  assert.deepEqual(await stack.client.check(), { status: 'SERVING' });
  for (const service of ['notification.NotificationService', 'notification.AdminService',
    'notification.TemplateService']) {
    assert.deepEqual(await stack.client.check(service), { status: 'SERVING' });
  }
  await assert.rejects(stack.client.check('no.such.Service'), { code: 'NOT_FOUND' });
});

test('Who watches an unknown service is told so, and goes on watching.', async () => {
  const { heard, code } = await stack.client.watch('no.such.Service', () => true);
  assert.deepEqual([heard, code], [['SERVICE_UNKNOWN'], 'CANCELLED']);
});

test('Who watches hears NOT_SERVING when the service is stopped, and then UNAVAILABLE.', async () => {
  const begun = [];
  const watches = ['', 'notification.NotificationService'].map((service) => {
    let hears;
    begun.push(new Promise((resolve) => { hears = resolve; }));
    return stack.client.watch(service, () => hears());
  });
  await Promise.all(begun);
  const exited = stack.endService('SIGTERM', 25_000);
  for (const { heard, code } of await Promise.all(watches)) {
    assert.deepEqual(heard, ['SERVING', 'NOT_SERVING']);
    assert.equal(code, 'UNAVAILABLE');
  }
  assert.equal(await exited, 0);
  await stack.startService();
});

test('The contract passes buf lint.', async () => {
  const linted = await run(buf, ['lint'], { cwd: path.join(root, 'proto') });
  assert.equal(linted.code, 0, linted.stdout + linted.stderr);
});
