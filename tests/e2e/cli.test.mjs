// The command line: what operators type.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack } from './stack.mjs';

let stack;
before(async () => { stack = await Stack.start({ NOTIFY_DELIVER_RETRY_DELAYS: '1s' }); });
after(() => stack?.stop());

const explain = (id) => stack.program(['explain', id]);
const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

/** A configuration file with this content beside the stack's. */
function configFile(content) {
  const file = path.join(stack.dir, `${randomUUID()}.yaml`);
  fs.writeFileSync(file, content);
  return file;
}

test('explain tells the story of a delivered notification.', async () => {
  const user = await stack.user({});
  const id = await stack.send(user, { collapse_id: 'c', priority: 'PRIORITY_HIGH' });
  await stack.settled(id);
  const { code, stdout, stderr } = await explain(id);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^notification ${id} for user ${user.id}$`, 'm'));
  assert.match(stdout, new RegExp(`^ +${time} +\\+0 ms +accepted: type "message", priority high, with a collapse id; worth delivering until ${time}$`, 'm'));
  assert.match(stdout, new RegExp(`^ +${time} .*try 1, device ${user.devices[0].id}, apns: the provider accepted it$`, 'm'));
  assert.match(stdout, /^ +=> delivered: a provider accepted it for at least one device$/m);
});

test('explain tells of a dead token.', async () => {
  const user = await stack.user({ dead: true });
  const id = await stack.send(user);
  await stack.settled(id);
  const { stdout } = await explain(id);
  assert.match(stdout, /the token is dead, and auth-service is told; not tried again \(410 Unregistered: .+\)$/m);
  assert.match(stdout, /^ +=> failed: no device was left to try$/m);
});

test('explain tells of a retry, before and after it.', async () => {
  const user = await stack.user({});
  await stack.simulator.fault({ status: 503, reason: 'ServiceUnavailable', retry_after: 2 }, user.devices[0]);
  const id = await stack.send(user);
  let story;
  do story = await explain(id); while (!story.stdout.includes('503')); // until the first try is on record
  assert.match(story.stdout, new RegExp(`refused for now \\(503 ServiceUnavailable: .+\\); again in 2(\\.\\d)? s, at ${time}$`, 'm'));
  assert.match(story.stdout, new RegExp(`^ +waiting: the next try; due at ${time}`, 'm'));
  assert.match(story.stdout, /^ +=> pending: not delivered yet: it waits for its next try$/m);

  await stack.settled(id);
  story = await explain(id);
  assert.match(story.stdout, /try 2, .*: the provider accepted it$/m);
  assert.match(story.stdout, /^ +=> delivered/m);
  assert.doesNotMatch(story.stdout, /waiting/);
});

test('explain of a user without devices says so.', async () => {
  const id = await stack.send(await stack.user());
  await stack.settled(id);
  assert.match((await explain(id)).stdout, /=> failed: the user had no device to deliver it to/);
});

test('explain never prints a token, a title or a body.', async () => {
  const user = await stack.user({});
  const request = stack.request(user);
  const { notification_id: id } = await stack.client.call('SendNotification', request);
  await stack.settled(id);
  const { stdout } = await explain(id);
  for (const text of [request.title, request.body, user.devices[0].token]) assert.ok(!stdout.includes(text));
});

test('explain of an id that nobody gave out: exit status 1 and a clear text.', async () => {
  for (const id of [randomUUID(), '01890a5d-ac96-774b-bcce-b302099a8057']) {
    const { code, stdout, stderr } = await explain(id);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^notification-service: (there is no such notification|no notification can have this id)$/m);
  }
});

test('explain of something that is no id: exit status 2.', async () => {
  const { code, stderr } = await explain('yesterday');
  assert.equal(code, 2);
  assert.match(stderr, /"yesterday" is not a UUID/);
});

test('explain without a database: exit status 1 and what is wrong.', async () => {
  const { code, stderr } = await stack.program(['explain', '01890a5d-ac96-774b-bcce-b302099a8057'],
    { env: { NOTIFY_POSTGRES_URL: 'postgresql:///notification?host=/nonexistent' } });
  assert.equal(code, 1);
  assert.match(stderr, /^notification-service: .{10,}/m);
});

const send = (...args) => stack.program(['send', '--address', stack.address, ...args]);

test('send prints the id, and the notification arrives.', async () => {
  const user = await stack.user({});
  const { code, stdout, stderr } = await send('--user', user.id, '--title', 'Hello', '--body', 'World',
    '--priority', 'low', '--ttl', '60', '--type', 'call');
  assert.equal(code, 0, stderr);
  const { status, notification } = await stack.settled(stdout.trim());
  assert.equal(status, 'DELIVERED');
  assert.equal(notification.title, 'Hello');
  assert.equal(notification.type, 'call');
  assert.equal(notification.priority, 'PRIORITY_LOW');
});

test('send of something the service refuses: exit status 1 and every field with its mistake.', async () => {
  const { code, stdout, stderr } = await send('--user', 'nobody', '--title', 'x'.repeat(300), '--type', 'Call');
  assert.equal(code, 1);
  assert.equal(stdout, '');
  for (const field of ['user_id: must be a UUID', 'title: is 300 characters', 'type: must be']) {
    assert.match(stderr, new RegExp(`^ +${field}`, 'm'));
  }
});

test('send to an address where nobody listens: exit status 1, soon.', async () => {
  const { code, stderr } = await stack.program(
    ['send', '--address', '127.0.0.1:1', '--user', randomUUID(), '--title', 'Hello']);
  assert.equal(code, 1);
  assert.match(stderr, /^notification-service: .{10,}/m);
});

for (const [what, args, text] of [
  ['send without a user', ['send', '--title', 'x'], /--user is required/],
  ['send with an unknown priority', ['send', '--user', randomUUID(), '--title', 'x', '--priority', 'urgent'], /high.*medium.*low/],
  ['send with an option that does not exist', ['send', '--user', randomUUID(), '--title', 'x', '--colour', 'red'], /--colour/],
  ['a command that does not exist', ['sned'], /sned/],
  ['no command at all', [], /subcommand/i],
  ['replay of a time that is none', ['replay', '--from', 'yesterday', '--actor', 'x'], /--from: "yesterday" is no time: write /],
  ['replay with a life that is none', ['replay', '--extend', '2', '--actor', 'x'], /--extend: "2" is no duration/],
  ['replay at no rate', ['replay', '--rate', '0'], /--rate/],
  ['dead-letters without a command', ['dead-letters'], /subcommand/i],
  ['explain without an id', ['explain'], /id,--user,--what-if\] is required/],
  ['a configuration file that does not exist', ['config', 'check', '--config', '/nonexistent.yaml'], /nonexistent/],
]) {
  test(`Wrong usage, ${what}: exit status 2 and what is wrong.`, async () => {
    const { code, stdout, stderr } = await stack.program(args);
    assert.match(stdout + stderr, text);
    assert.equal(code, 2, 'exit status');
  });
}

test('config check is content with the configuration of the stack.', async () => {
  const { code, stdout } = await stack.program(['config', 'check']);
  assert.equal(code, 0);
  assert.match(stdout, /the configuration is good/);
});

test('config check tells everything that is wrong, with its place and the nearest name.', async () => {
  const file = configFile('grpc:\n  lisen: 127.0.0.1:1\npostgres:\n  connections: 1000\n');
  const { code, stderr } = await stack.program(['config', 'check', '--config', file],
    { env: { NOTIFY_CONFIG: undefined, NOTIFY_APNS_KEYFILE: 'x' } });
  assert.equal(code, 2);
  assert.match(stderr, /:2.*there is no setting 'grpc\.lisen' \(did you mean 'grpc\.listen'\?\)/);
  assert.match(stderr, /:4.*postgres\.connections: .*64/);
  assert.match(stderr, /^env NOTIFY_APNS_KEYFILE: there is no such setting \(did you mean 'NOTIFY_APNS_KEY_FILE'\?\)$/m);
});

test('--config wins over NOTIFY_CONFIG.', async () => {
  const { code, stderr } = await stack.program(['config', 'check', '--config', configFile('grcp: {}\n')],
    { env: { NOTIFY_CONFIG: stack.config } });
  assert.match(stderr, /grcp/);
  assert.equal(code, 2);
});

test('serve with a wrong configuration does not start, and says why.', async () => {
  const { code, stderr } = await stack.program(['serve', '--config', configFile('grcp: {}\n')],
    { env: { NOTIFY_CONFIG: undefined }, timeout: 5000 });
  assert.equal(code, 2);
  assert.match(stderr, /grcp/);
});

test('config show prints every value with its origin, and masks passwords.', async () => {
  const file = configFile('postgres:\n  url: postgresql://user:hunter2secret@db/notification\n'
    + 'redis:\n  url: redis://:redissecret@cache:6379\n');
  const { code, stdout, stderr } = await stack.program(['config', 'show', '--config', file],
    { env: { NOTIFY_CONFIG: undefined, NOTIFY_LOG_USER_KEY: 'a-secret-of-many-letters', NOTIFY_GRPC_IN_FLIGHT_MAX: '77' } });
  assert.equal(code, 0, stderr);
  for (const secret of ['hunter2secret', 'redissecret', 'a-secret-of-many-letters']) {
    assert.ok(!(stdout + stderr).includes(secret), secret);
  }
  assert.match(stdout, /url: .*postgresql:\/\/user:\*\*\*@db\/notification/);
  assert.match(stdout, /in_flight_max: 77 +# env NOTIFY_GRPC_IN_FLIGHT_MAX/);
  assert.match(stdout, /batch_max: 500 +# default/);
});

test('What config show prints is a configuration.', async () => {
  const { stdout } = await stack.program(['config', 'show']);
  const { code, stderr } = await stack.program(['config', 'check', '--config', configFile(stdout)],
    { env: { NOTIFY_CONFIG: undefined } });
  assert.equal(code, 0, stderr);
});

test('--version prints the version, --help the commands.', async () => {
  const version = await stack.program(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\S*$/m);
  const help = await stack.program(['--help']);
  assert.equal(help.code, 0);
  for (const command of ['serve', 'migrate', 'explain', 'send', 'config', 'dead-letters', 'replay']) {
    assert.match(help.stdout, new RegExp(`\\b${command}\\b`));
  }
});

test('migrate may be run again, and changes nothing.', async () => {
  const before = await stack.sql('SELECT count(*) FROM sqitch.changes');
  const { code, stderr } = await stack.program(['migrate']);
  assert.equal(code, 0, stderr);
  assert.equal(await stack.sql('SELECT count(*) FROM sqitch.changes'), before);
});
