// Templates: written, changed and previewed by TemplateService, and sent by.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Stack } from './stack.mjs';

let stack;
before(async () => { stack = await Stack.start(); });
after(() => stack?.stop());

const call = (verb, request) => stack.client.template(verb, request);
const refused = (verb, request) => call(verb, request)
  .then(() => assert.fail('it was accepted'), (error) => error);
/** A name that nobody has. */
const fresh = (word) => `${word}_${randomUUID().replaceAll('-', '')}`;

/** Creates one and returns it. */
async function create(fields = {}) {
  const { template } = await call('create', {
    template: { name: fresh('chat'), type: 'message', title: '{{sender}}', body: '{{text}}', ...fields },
    actor: 'dora',
  });
  return template;
}

/** The four of the design document, as they are written there, and what each shows. */
const defaults = {
  new_message: {
    written: ['message', '{{sender_name}}', '{{message_preview}}', 'default'],
    variables: { sender_name: 'Zoé', message_preview: 'On se voit à 18 h ? 🎉' },
    shown: ['Zoé', 'On se voit à 18 h ? 🎉'],
  },
  group_message: {
    written: ['message', '{{group_name}}', '{{sender_name}}: {{message_preview}}', 'default'],
    variables: { group_name: 'Escalade', sender_name: 'Zoé', message_preview: '{{group_name}} <b>&' },
    shown: ['Escalade', 'Zoé: {{group_name}} <b>&'],
  },
  group_invitation: {
    written: ['group', 'Nouvelle invitation', '{{inviter_name}} vous a ajouté au groupe {{group_name}}', 'default'],
    variables: { inviter_name: 'Zoé', group_name: 'Escalade' },
    shown: ['Nouvelle invitation', 'Zoé vous a ajouté au groupe Escalade'],
  },
  mention: {
    written: ['message', '{{sender_name}} vous a mentionné', '{{message_preview}}', 'mention'],
    variables: { sender_name: 'Zoé', message_preview: '@dora tu viens ?' },
    shown: ['Zoé vous a mentionné', '@dora tu viens ?'],
  },
};

for (const [name, { written, variables, shown: [title, body] }] of Object.entries(defaults)) {
  test(`The default template ${name} is there, previews, and arrives.`, async () => {
    const { template } = await call('get', { name });
    assert.deepEqual([template.type, template.title, template.body, template.sound], written);
    assert.equal(template.active, true);
    assert.deepEqual(template.required_variables, Object.keys(variables).sort());

    const preview = await call('preview', { name, variables });
    assert.deepEqual([preview.title, preview.body, preview.sound], [title, body, written[3]]);
    assert.deepEqual(preview.platforms.map((one) => one.platform), ['ios', 'android', 'web']);
    for (const one of preview.platforms) assert.deepEqual([one.title, one.body], [title, body]);

    const user = await stack.user({});
    for (const value of [...Object.values(variables), body]) {
      if (value.length > 12) stack.secrets.add(value);
    }
    const { notification_id: id } = await stack.client.call('SendNotification',
      { user_id: user.id, template: { name, locale: 'fr-FR', variables } });
    const { status, notification } = await stack.settled(id);
    assert.equal(status, 'DELIVERED');
    assert.deepEqual([notification.title, notification.body, notification.type], [title, body, written[0]]);
    assert.deepEqual(notification.template, { name, revision: template.revision, locale: '' });
    const [push] = await stack.simulator.received(user.devices[0]);
    const payload = typeof push.payload === 'string' ? JSON.parse(push.payload) : push.payload;
    assert.deepEqual(payload.aps.alert, { title, body });
    assert.equal(payload.aps.sound, written[3]);
    assert.equal(await stack.sql(`SELECT metadata->'template' FROM notification_history WHERE id = '${id}'`),
      `{"name": "${name}", "revision": ${template.revision}}`);
  });
}

test('A template is created, read, listed, changed, deactivated, and each change is in the audit.', async () => {
  const made = await create({
    sound: 'ping', locales: { fr: { title: '{{sender}} écrit', body: '{{text}}' } },
  });
  assert.equal(made.revision, 1);
  assert.equal(made.active, true);
  assert.deepEqual(made.required_variables, ['sender', 'text']);
  assert.deepEqual((await call('get', { name: made.name })).template, made);

  const { template: second } = await call('update', {
    template: { name: made.name, revision: 1, body: '{{#group}}{{group}}: {{/group}}{{text}}' },
    actor: 'eve',
  });
  assert.equal(second.revision, 2);
  assert.deepEqual(second.optional_variables, ['group']);
  assert.deepEqual([second.title, second.sound, second.locales], [made.title, made.sound, made.locales]);

  const { template: third } = await call('update', {
    template: { name: made.name, title: 'New: {{sender}}', body: 'not named' },
    update_mask: { paths: ['title', 'sound', 'locales'] },
  });
  assert.deepEqual([third.title, third.sound, third.body, third.locales],
    ['New: {{sender}}', '', second.body, {}]);

  const { template: off } = await call('deactivate', { name: made.name, actor: 'dora' });
  assert.equal(off.active, false);
  assert.equal(off.revision, 4);
  assert.deepEqual((await call('deactivate', { name: made.name })).template, off);

  const rows = await stack.sql("SELECT actor, action, detail->>'fields', detail->>'revision' "
    + `FROM audit_log WHERE subject_type = 'template' AND subject_id = '${made.name}' ORDER BY id`);
  assert.deepEqual(rows.split('\n'), [
    'dora|template.created|type,title,body,sound,locales|1',
    'eve|template.updated|body|2',
    'ipv4:127.0.0.1|template.updated|title,sound,locales|3',
    'dora|template.deactivated|active|4',
  ]);
});

test('What the stored JSON holds besides stays through a change.', async () => {
  const { name } = await create();
  await stack.sql("UPDATE notification_templates SET template_data = template_data || '{\"icon\": [1, {\"a\": null}]}' "
    + `WHERE template_name = '${name}'`);
  await call('update', { template: { name, title: 'Hi {{sender}}' } });
  assert.equal(await stack.sql(`SELECT template_data->'icon', template_data->>'title' FROM notification_templates WHERE template_name = '${name}'`),
    '[1, {"a": null}]|Hi {{sender}}');
});

test('A change that comes too late, a name that is taken and one that nobody has are told apart.', async () => {
  const { name } = await create();
  await call('update', { template: { name, revision: 1, sound: 'a' } });
  const late = await refused('update', { template: { name, revision: 1, sound: 'b' } });
  assert.equal(late.code, 'ABORTED');
  assert.equal((await refused('deactivate', { name, revision: 1 })).code, 'ABORTED');
  const taken = await refused('create', { template: { name, type: 'message', title: 'x' } });
  assert.equal(taken.code, 'ALREADY_EXISTS');
  assert.equal(taken.info.ErrorInfo.reason, 'TEMPLATE_EXISTS');
  const nobody = fresh('nobody');
  for (const [verb, request] of [['get', { name: nobody }], ['deactivate', { name: nobody }],
    ['update', { template: { name: nobody, title: 'x' } }], ['preview', { name: nobody }]]) {
    const none = await refused(verb, request);
    assert.equal(none.code, 'NOT_FOUND', verb);
    assert.match(none.text, /no such template/);
  }
});

test('What is wrong with a template is told with its field and its place, and is not stored.', async () => {
  const name = fresh('bad');
  const error = await refused('create', {
    template: {
      name, type: 'Message', title: 'été {{sender', body: '{{> other}} and {a}',
      sound: '{{x}}', locales: { fr: { title: '{{other}}' }, 'not a tag': { title: 'x' } },
    },
  });
  assert.equal(error.code, 'INVALID_ARGUMENT');
  const found = error.info.BadRequest.field_violations.map(({ field, description }) => `${field} ${description}`);
  for (const expected of [/^template\.type must be/, /^template\.title has a tag without its end .* at character 5$/,
    /^template\.body has a partial.* at character 1$/, /^template\.body has a brace .* at character 17/,
    /^template\.sound /, /^template\.locales\["fr"\]\.body is required/, /^template\.locales must be|^template\.locales\["not a tag"\]/]) {
    assert.ok(found.some((one) => expected.test(one)), `${expected} in ${JSON.stringify(found)}`);
  }
  assert.equal((await refused('get', { name })).code, 'NOT_FOUND');

  const { name: good } = await create({ locales: { fr: { title: '{{sender}}', body: '{{text}}' } } });
  const odd = await refused('update', {
    template: { name: good, locales: { fr: { title: '{{nickname}}', body: 'x' } } },
  });
  assert.deepEqual(odd.fields, ['template.locales["fr"].title']);
  assert.deepEqual((await refused('update', { template: { name: good }, update_mask: { paths: ['name'] } })).fields,
    ['update_mask']);
  assert.deepEqual((await refused('list', { page_size: 101, page_token: '?', type: 'Bad!' })).fields,
    ['page_size', 'page_token', 'type']);
  assert.deepEqual((await refused('preview', {})).fields, ['name']);
  assert.deepEqual((await refused('get', { name: 'a\0b' })).fields, ['name']);
  assert.deepEqual((await refused('update', { template: { revision: -1 } })).fields,
    ['template.revision', 'template.name']);
  assert.deepEqual((await refused('deactivate', { actor: 'x'.repeat(101) })).fields, ['name', 'actor']);
});

test('Templates come page by page in the order of their names, the inactive ones on demand.', async () => {
  const type = 'paging';
  const names = [];
  for (let i = 0; i < 5; i += 1) names.push((await create({ name: fresh(`page${i}`), type })).name);
  await call('deactivate', { name: names[2] });
  const listed = async (fields) => {
    const seen = [];
    for (let token = ''; ;) {
      const page = await call('list', { page_size: 2, page_token: token, type, ...fields });
      assert.ok(page.templates.length <= 2);
      seen.push(...page.templates.map((template) => template.name));
      token = page.next_page_token;
      if (!token) return seen;
    }
  };
  assert.deepEqual(await listed({}), names.filter((name) => name !== names[2]));
  assert.deepEqual(await listed({ include_inactive: true }), names);
  const all = (await call('list', { page_size: 100 })).templates.map((template) => template.name);
  for (const name of Object.keys(defaults)) assert.ok(all.includes(name), name);
});

test('The reader\'s language is found, or the nearest one.', async () => {
  const { name } = await create({
    locales: {
      fr: { title: '{{sender}} (fr)', body: '{{text}}' },
      'fr-CA': { title: '{{sender}} (fr-CA)', body: '{{text}}', sound: 'orignal' },
      'zh-Hant': { title: '{{sender}} (zh-Hant)', body: '{{text}}' },
    },
  });
  const variables = { sender: 'Zoé', text: 'x' };
  for (const [locale, expected] of [['fr-CA', 'fr-CA'], ['FR_ca', 'fr-CA'], ['fr-BE', 'fr'], ['fr', 'fr'],
    ['zh-Hant-TW', 'zh-Hant'], ['zh-Hans-CN', ''], ['de', ''], ['', '']]) {
    const shown = await call('preview', { name, locale, variables });
    assert.equal(shown.locale, expected, locale);
    assert.equal(shown.title, expected ? `Zoé (${expected})` : 'Zoé');
  }
  const user = await stack.user({});
  const { notification_id: id } = await stack.client.call('SendNotification',
    { user_id: user.id, template: { name, locale: 'fr-ca', variables } });
  const { notification } = await stack.settled(id);
  assert.equal(notification.title, 'Zoé (fr-CA)');
  assert.deepEqual(notification.template, { name, revision: 1, locale: 'fr-CA' });
  const explained = await stack.program(['explain', id]);
  assert.match(explained.stdout, new RegExp(`by template ${name}, revision 1, in fr-CA`));
});

test('A missing or empty variable is an error that names it, when previewed and when sent.', async () => {
  const preview = await refused('preview', { name: 'group_message', variables: { sender_name: '' } });
  assert.equal(preview.code, 'INVALID_ARGUMENT');
  const names = ['group_name', 'message_preview', 'sender_name'];
  assert.deepEqual(preview.fields, names.map((name) => `variables["${name}"]`));
  const user = await stack.user({});
  const send = (fields) => stack.client.call('SendNotification', { user_id: user.id, ...fields })
    .then(() => assert.fail('it was accepted'), (error) => error);
  const sent = await send({ template: { name: 'group_message', variables: { sender_name: 'Zoé' } } });
  assert.deepEqual(sent.fields, ['template.variables["group_name"]', 'template.variables["message_preview"]']);
  assert.deepEqual((await send({ template: { name: fresh('nobody') } })).fields, ['template.name']);
  assert.deepEqual((await send({ title: 'x', template: { name: 'mention', variables: { sender_name: 'a', message_preview: 'b' } } })).fields,
    ['title']);
  assert.equal((await stack.client.call('ListNotifications', { user_id: user.id })).notifications.length, 0);
});

test('What is too long is cut between characters, and shorter yet for the web.', async () => {
  const family = '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}\u200D\u{1F466}';
  const variables = { sender_name: family.repeat(80), message_preview: 'été '.repeat(100) };
  const shown = await call('preview', { name: 'new_message', variables });
  // 255 code points hold 36 families of seven.
  assert.equal(shown.title, `${family.repeat(36)}…`);
  assert.equal(shown.body, `${'été '.repeat(60).slice(0, 239).trimEnd()}…`);
  const web = shown.platforms.find((one) => one.platform === 'web');
  assert.equal(web.title, `${family.repeat(36)}…`);
  assert.equal(web.body, `${'été '.repeat(30).slice(0, 119).trimEnd()}…`);
});

test('One that is not stored can be previewed, and what is wrong with it is told.', async () => {
  const shown = await call('preview', {
    template: { title: '{{a}}!', locales: { fr: { title: '{{a}} !' } } }, locale: 'fr', variables: { a: 'Oh' },
  });
  assert.deepEqual([shown.title, shown.locale, shown.revision], ['Oh !', 'fr', 0]);
  const bad = await refused('preview', { template: { title: '{{a' } });
  assert.deepEqual(bad.fields, ['template.title']);
});

test('A change is obeyed within a second, and a deactivated template sends nothing more.', async () => {
  const { name } = await create();
  const user = await stack.user({});
  const send = (text) => stack.client.call('SendNotification',
    { user_id: user.id, template: { name, variables: { sender: 'Zoé', text } } });
  const first = await send('one');
  await call('update', { template: { name, title: 'New: {{sender}}' } });
  await new Promise((resolve) => { setTimeout(resolve, 1100); });
  const second = await send('two');
  assert.equal((await stack.get(first.notification_id)).notification.title, 'Zoé');
  const { notification } = await stack.get(second.notification_id);
  assert.equal(notification.title, 'New: Zoé');
  assert.equal(notification.template.revision, 2);
  assert.equal((await send('one')).is_repeat, true, 'the same request, whatever the template says now');

  await call('deactivate', { name });
  await new Promise((resolve) => { setTimeout(resolve, 1100); });
  await assert.rejects(send('three'), (error) => {
    assert.deepEqual(error.fields, ['template.name']);
    assert.match(error.text, /deactivated/);
    return true;
  });
  await call('update', { template: { name, active: true } });
  await new Promise((resolve) => { setTimeout(resolve, 1100); });
  await send('three');
});

test('In a batch each item has its own template, language and errors.', async () => {
  const user = await stack.user({});
  const item = (name, variables) => ({ user_id: user.id, message_id: randomUUID(), template: { name, variables } });
  const { results } = await stack.client.call('BatchSendNotifications', {
    notifications: [
      item('mention', { sender_name: 'Zoé', message_preview: 'x' }),
      item('mention', { sender_name: 'Eve' }),
      { user_id: user.id, type: 'message', title: 'Own', message_id: randomUUID() },
      item('group_invitation', { inviter_name: 'Zoé', group_name: 'G' }),
    ],
  });
  assert.deepEqual(results.map((result) => (result.error ? 'error' : 'accepted')), ['accepted', 'error', 'accepted', 'accepted']);
  assert.match(results[1].error.message, /^template\.variables\["message_preview"\] is required/);
  const { notification } = await stack.settled(results[3].accepted.notification_id);
  assert.equal(notification.type, 'group');
  assert.equal(notification.template.name, 'group_invitation');
});

test('The logs hold no token, title, body, value or user id.', () => {
  assert.deepEqual(stack.leaks(), []);
});
