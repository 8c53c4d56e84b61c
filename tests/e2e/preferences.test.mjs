// What users want, by gRPC: read, changed, and obeyed by what is sent.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stack, eventually } from './stack.mjs';

let stack;
before(async () => { stack = await Stack.start({ NOTIFY_RECOVER_SWEEP_INTERVAL: '500ms', NOTIFY_DECISION_RELEASE_JITTER: '0ms' }); });
after(() => stack?.stop());

const preferences = (method, request) => stack.client.callPreferences(method, request);
/** A notification, and what its sender was told. */
const send = (user, fields) => stack.client.call('SendNotification', stack.request(user, fields));

/** From an hour ago to in an hour, in UTC. */
function quietNow(mode = 'QUIET_HOURS_MODE_DEFER') {
  const clock = (hours) => new Date(Date.now() + hours * 3600_000).toISOString().slice(11, 16);
  return { enabled: true, start: clock(-1), end: clock(1), timezone: 'UTC', mode };
}

test('Who has set nothing has the defaults.', async () => {
  const settings = await preferences('GetUserSettings', { user_id: randomUUID() });
  assert.equal(settings.notifications_enabled, true);
  assert.equal(settings.notification_sound, 'default');
  assert.equal(settings.preview, 'PREVIEW_LEVEL_FULL');
  assert.equal(settings.quiet_hours, null);
  assert.equal(settings.revision, 0);
});

test('What is set is changed, and the rest is as it was.', async () => {
  const user_id = randomUUID();
  const first = await preferences('UpdateUserSettings', {
    user_id, settings: { sound_enabled: false, types: { reaction: false } },
  });
  assert.equal(first.sound_enabled, false);
  assert.equal(first.notifications_enabled, true);
  assert.equal(first.revision, 1);
  const second = await preferences('UpdateUserSettings', {
    user_id, settings: { types: { call: true }, preview: 'PREVIEW_LEVEL_SENDER' },
  });
  assert.deepEqual(second.types, { reaction: false, call: true });
  assert.equal(second.sound_enabled, false);
  const third = await preferences('UpdateUserSettings', {
    user_id, settings: { types: { group: false } }, update_mask: { paths: ['types', 'preview'] },
  });
  assert.deepEqual(third.types, { group: false });
  assert.equal(third.preview, 'PREVIEW_LEVEL_FULL');
  assert.equal(third.revision, 3);
  const fourth = await preferences('UpdateUserSettings', {
    user_id, settings: { types: { call: false, reaction: false } }, update_mask: { paths: ['types.call', 'types.group'] },
  });
  assert.deepEqual(fourth.types, { call: false });
});

test('A change that goes by an old revision is refused.', async () => {
  const user_id = randomUUID();
  await preferences('UpdateUserSettings', { user_id, settings: { sound_enabled: false } });
  await assert.rejects(
    preferences('UpdateUserSettings', { user_id, settings: { sound_enabled: true, revision: 7 } }),
    (error) => error.code === 'ABORTED');
  const { revision } = await preferences('UpdateUserSettings', { user_id, settings: { sound_enabled: true, revision: 1 } });
  assert.equal(revision, 2);
});

test('Of changes that meet, each is made, unless it names a revision.', async () => {
  const user_id = randomUUID();
  const change = (i) => preferences('UpdateUserSettings', { user_id, settings: { types: { [`type_${i}`]: false } } });
  await Promise.all(Array.from({ length: 16 }, (_, i) => change(i)));
  const { types, revision } = await preferences('GetUserSettings', { user_id });
  assert.equal(Object.keys(types).length, 16);
  assert.equal(revision, 16);
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, (_, i) => preferences('UpdateUserSettings',
    { user_id, settings: { types: { [`late_${i}`]: false }, revision } })));
  assert.deepEqual(outcomes.map((one) => one.reason?.code ?? 'done').sort(), ['ABORTED', 'ABORTED', 'ABORTED', 'done']);
});

test('A value that is there already changes nothing, and a field that is not named is not written.', async () => {
  const user_id = randomUUID();
  const row = () => stack.sql(`SELECT revision, sound_enabled, coalesce(notification_sound, 'none'), quiet_hours, preferences
    FROM user_settings WHERE user_id = '${user_id}'`);
  await preferences('UpdateUserSettings', { user_id, settings: { sound_enabled: false } });
  assert.equal(await row(), '1|f|default|{}|{}');
  const hours = { enabled: true, start: '22:00', end: '07:00', timezone: 'Europe/Paris', exceptions: ['call'] };
  await preferences('SetQuietHours', { user_id, quiet_hours: hours });
  const before = await row();
  await preferences('SetQuietHours', { user_id, quiet_hours: hours });
  const { user_id: _, revision, updated_at, ...all } = await preferences('GetUserSettings', { user_id });
  await preferences('UpdateUserSettings', { user_id, settings: all });
  assert.equal(await row(), before);
  assert.equal(revision, 2);
  assert.equal(await stack.sql(`SELECT count(*) FROM audit_log WHERE subject_id = '${user_id}' AND action = 'settings.change'`), '2');
  await stack.sql(`UPDATE user_settings SET notification_sound = NULL WHERE user_id = '${user_id}'`);
  await preferences('UpdateUserSettings', { user_id, settings: { sound_enabled: true } });
  assert.match(await row(), /^4\|t\|none\|/);
});

test('Each wrong field is named.', async () => {
  await assert.rejects(preferences('UpdateUserSettings', {
    user_id: randomUUID(),
    settings: { quiet_hours: { enabled: true, start: '25:00', end: '7', timezone: 'Mars/Olympus', days: [9] }, notification_sound: 'x'.repeat(101) },
  }), (error) => {
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.deepEqual(error.fields, ['settings.notification_sound', 'settings.quiet_hours.start',
      'settings.quiet_hours.end', 'settings.quiet_hours.timezone', 'settings.quiet_hours.days']);
    return true;
  });
  await assert.rejects(preferences('GetUserSettings', { user_id: 'alice' }), (error) => error.fields[0] === 'user_id');
  await assert.rejects(preferences('UpdateUserSettings', {
    user_id: randomUUID(), settings: {}, update_mask: { paths: ['loudness'] },
  }), (error) => error.fields[0] === 'update_mask');
});

test('What apps keep in the JSON columns survives a change.', async () => {
  const user_id = randomUUID();
  await stack.sql(`INSERT INTO user_settings (user_id, preferences, quiet_hours)
    VALUES ('${user_id}', '{"theme": {"dark": true, "big": 12345678901234567}, "types": {"call": false}}', '{"icon": "moon"}')`);
  const settings = await preferences('UpdateUserSettings', {
    user_id, settings: { preview: 'PREVIEW_LEVEL_NONE', quiet_hours: quietNow() },
  });
  assert.equal(settings.other.fields.theme.structValue.fields.dark.boolValue, true);
  const stored = await stack.sql(`SELECT preferences->'theme'->>'big', preferences->'types'->>'call', quiet_hours->>'icon'
    FROM user_settings WHERE user_id = '${user_id}'`);
  assert.equal(stored, '12345678901234567|false|moon');
});

test('A muted conversation is not delivered within a second, and GetNotification says why.', async () => {
  const user = await stack.user({});
  const conversation_id = randomUUID();
  await send(user, { conversation_id });
  const muted = await preferences('MuteConversation', { user_id: user.id, conversation_id });
  assert.ok(muted.muted_until);
  await sleep(1000);
  const sent = await send(user, { conversation_id });
  assert.equal(sent.status, 'NOTIFICATION_STATUS_SUPPRESSED');
  const { notification } = await stack.get(sent.notification_id);
  assert.equal(notification.decision.verdict, 'VERDICT_SUPPRESS');
  assert.equal(notification.decision.rule, 'mute');
  assert.match(notification.decision.reasons.at(-1).input, /^conversation\.muted_until = /);

  await preferences('UnmuteConversation', { user_id: user.id, conversation_id });
  await sleep(1000);
  const again = await send(user, { conversation_id });
  assert.equal((await stack.settled(again.notification_id)).status, 'DELIVERED');
});

test('A conversation of which only mentions are wanted.', async () => {
  const user = await stack.user({});
  const conversation_id = randomUUID();
  const settings = await preferences('UpdateConversationSettings', {
    user_id: user.id, conversation_id, settings: { notification_level: 'NOTIFICATION_LEVEL_MENTIONS' },
  });
  assert.equal(settings.notification_level, 'NOTIFICATION_LEVEL_MENTIONS');
  assert.equal((await send(user, { conversation_id })).status, 'NOTIFICATION_STATUS_SUPPRESSED');
  assert.equal((await send(user, { conversation_id, mention: true })).status, 'NOTIFICATION_STATUS_PENDING');
  const { conversations } = await preferences('ListConversationSettings', { user_id: user.id });
  assert.deepEqual(conversations.map((one) => one.conversation_id), [conversation_id]);
});

test('In quiet hours it waits, and comes when they end earlier than planned.', async () => {
  const user = await stack.user({});
  await preferences('SetQuietHours', { user_id: user.id, quiet_hours: quietNow() });
  const sent = await send(user);
  assert.equal(sent.status, 'NOTIFICATION_STATUS_DEFERRED');
  const status = async () => (await stack.get(sent.notification_id)).notification;
  const waiting = await status();
  assert.equal(waiting.decision.verdict, 'VERDICT_DEFER');
  assert.ok(Number(waiting.decision.until.seconds) > Date.now() / 1000);
  await preferences('SetQuietHours', { user_id: user.id, quiet_hours: { enabled: false } });
  await eventually(async () => (await status()).status === 'NOTIFICATION_STATUS_DELIVERED', 8000, 'it is delivered');
});

test('Reads and changes are audited.', async () => {
  const user_id = randomUUID();
  await preferences('GetUserSettings', { user_id });
  await preferences('UpdateUserSettings', { user_id, settings: { sound_enabled: false } });
  assert.equal(await stack.sql(`SELECT string_agg(action, ',' ORDER BY id) FROM audit_log WHERE subject_id = '${user_id}'`),
    'settings.read,settings.change');
});

test('explain finds what a user was not sent, though nobody knows its id, and says why.', async () => {
  const user = await stack.user({});
  await preferences('UpdateUserSettings', { user_id: user.id, settings: { notifications_enabled: false } });
  const { notification_id: id } = await send(user);
  const list = await stack.program(['explain', '--user', user.id, '--since', '1h']);
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, new RegExp(`${id}  suppressed  message  \\(suppress, by user_enabled\\)`));
  const story = await stack.program(['explain', id]);
  assert.match(story.stdout, /decided: suppress, by user_enabled/);
  assert.match(story.stdout, /user_enabled decided: notifications_enabled = false/);
});

test('explain --what-if decides and sends nothing.', async () => {
  const lines = [
    '{"user_settings": {"notifications_enabled": false}}',
    '{"conversation_settings": {"muted_until": "2026-01-01T12:00:00Z"}, "now": "2026-01-01T11:00:00+02:00"}',
  ];
  const asked = await stack.program(['explain', '--what-if', '-', '--json'], { input: lines.join('\n') });
  assert.equal(asked.code, 0, asked.stderr);
  const answers = asked.stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(answers.map(({ verdict, until }) => [verdict, until]), [['suppress', null], ['suppress', null]]);
  assert.equal(answers[1].reasons.at(-1).rule, 'mute');
  const told = await stack.program(['explain', '--what-if', '-'], { input: lines[0] });
  assert.match(told.stdout, /^suppress: it is not delivered, because the user has switched all notifications off$/m);
  assert.match(told.stdout, /otherwise: it would be delivered/);
  const wrong = await stack.program(['explain', '--what-if', '-'], { input: '{"now": 1}' });
  assert.equal(wrong.code, 2);
});
