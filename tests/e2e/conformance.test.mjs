// `notification-service conformance`, as anybody runs it: against push-simulator's ports, scripted by tokens alone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stack } from './stack.mjs';

let stack;
let target;
before(async () => {
  stack = await Stack.start();
  const ports = JSON.parse(stack.read('simulator/ports.json'));
  target = (name) => `https://localhost:${ports[name]}`;
});
after(() => stack?.stop());

const play = (...args) => stack.program(['conformance', '--config', stack.config, ...args], { timeout: 120_000 });

test('Every answer and every fault of all push services leads to what the tables say.', async () => {
  const services = ['apns', 'fcm', 'webpush'];
  const { code, stdout, stderr } = await play(
    ...services.flatMap((name) => ['--target', `${name}=${target(name)}`]), '--expired', target('expired'));
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout.trimEnd().split('\n');
  const sum = lines.pop();
  assert.equal(sum, `${lines.length} cases played, 0 differ, 0 skipped`);
  for (const line of lines) assert.match(line, /^ok {7}(apns|fcm|webpush) /);
  const has = (pattern) => assert.ok(lines.some((line) => pattern.test(line)), `${pattern} in\n${stdout}`);
  has(/apns +410 Unregistered +drop this address +token_gone \(410 Unregistered\), token dropped, 1 request$/);
  has(/apns +410 Unregistered, of before it was registered +the caller's fault .*token kept, 1 request$/);
  has(/apns +503 Shutdown, once +reconnect +accepted, token kept, 2 requests$/);
  has(/fcm +401 UNAUTHENTICATED, no FcmError, once +refresh credentials +accepted, token kept, 2 requests$/);
  has(/webpush +429 +retry this address later +retry_later \(429\), again after 7 s, token kept, 1 request$/);
  for (const name of services) {
    has(new RegExp(`${name} +GOAWAY, the request was not processed +delivered +accepted, token kept, 2 requests$`));
    has(new RegExp(`${name} +a certificate that has expired +.*not_processed`));
  }
});

test('A case without a server is skipped, and said to be.', async () => {
  const { code, stdout } = await play('--target', `fcm=${target('fcm')}`);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^skipped +fcm +a certificate that has expired .*--expired$/m);
  assert.match(stdout, / cases played, 0 differ, 1 skipped\n$/);
});

test('A provider that does something else is a failure, with what was expected.', async () => {
  // The simulator cuts a connection where the case expects an answer.
  await stack.simulator.fcmFault({ delay_ms: 1 }); // the first push
  await stack.simulator.fcmFault({ cut: 'before' });
  const { code, stdout } = await play('--target', `fcm=${target('fcm')}`);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^FAIL +fcm +200 +delivered +unknown .*; expected accepted$/m);
  assert.match(stdout, / cases played, 1 differ, 1 skipped\n$/);
});

test('A server that plays no scripts gets one push and no more.', async () => {
  await stack.simulator.fault({ status: 400, reason: 'BadDeviceToken', count: -1 });
  const earlier = (await stack.simulator.stats()).requests;
  const { code, stdout, stderr } = await play('--target', `apns=${target('apns')}`);
  await stack.simulator.clearFaults();
  assert.equal(code, 1, stdout);
  assert.match(stderr, /apns at https:\/\/localhost:\d+ did not accept the first push: 400 BadDeviceToken, .*script/);
  assert.equal((await stack.simulator.stats()).requests, earlier + 1);
});

test('A wrong target is refused with the form that is right.', async () => {
  for (const [wrong, reason] of [
    ['apns', /SERVICE=https:\/\/host:port; the services are fcm, apns, webpush/],
    ['sms=https://localhost:1', /SERVICE=/],
    ['apns=http://localhost:1', /"http:\/\/localhost:1" is no server: write https:\/\/host:port/],
  ]) {
    const { code, stderr } = await play('--target', wrong);
    assert.equal(code, 2, wrong);
    assert.match(stderr, reason);
  }
  const { code, stderr } = await play();
  assert.equal(code, 2);
  assert.match(stderr, /--target/);
});
