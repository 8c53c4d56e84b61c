// The admin port: health, readiness, metrics, version.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stack, eventually, run } from './stack.mjs';

let stack;
before(async () => {
  stack = await Stack.start();
  await stack.settled(await stack.send(await stack.user({})));
});
after(() => stack?.stop());

const get = async (page, options) => {
  const response = await fetch(stack.admin + page, options);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
};

test('/healthz says that the process lives.', async () => {
  const { status, text } = await get('/healthz');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), { status: 'alive' });
});

test('/readyz names each part and says that all are well.', async () => {
  const parts = ['postgres', 'clock', 'schema', 'redis', 'auth_service'];
  await eventually(async () => {
    const { status, text } = await get('/readyz');
    const { ready, draining, checks } = JSON.parse(text);
    assert.equal(status, 200);
    assert.equal(ready, true);
    assert.equal(draining, false);
    assert.deepEqual(checks.map((check) => check.name).sort(), [...parts].sort());
    for (const check of checks) assert.equal(check.state, 'ok', `${check.name}: ${check.detail}`);
    return true;
  }, 5000);
});

test('/metrics is in the format of Prometheus, and counts what was done.', async () => {
  const { status, type, text } = await get('/metrics');
  assert.equal(status, 200);
  assert.match(type, /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^# HELP \S+ \S+/m);
  assert.match(text, /^notification_accept_\w+\{\w+="accepted"\} 1$/m);
  assert.match(text, /^notification_deliver_results_total\{status="delivered"\} 1$/m);
});

test('promtool has nothing to say against the metrics.',
  { skip: !existsSync('/usr/bin/promtool') && 'promtool is not installed' }, async () => {
    const { text } = await get('/metrics');
    const checked = await run('/usr/bin/promtool', ['check', 'metrics'], { input: text });
    assert.equal(checked.code, 0, checked.stderr);
    assert.equal(checked.stderr, '');
  });

test('/version tells which build this is.', async () => {
  const { status, text } = await get('/version');
  assert.equal(status, 200);
  const version = JSON.parse(text);
  assert.match(version.version, /^\d+\.\d+\.\d+/);
  for (const field of ['revision', 'build_type', 'compiler']) assert.ok(version[field], field);
});

test('Any other page is 404 and names those there are; other methods are refused.', async () => {
  const missing = await get('/nothing');
  assert.equal(missing.status, 404);
  assert.match(missing.text, /\/metrics.*\/healthz.*\/readyz.*\/version/);
  assert.equal((await get('/healthz', { method: 'POST', body: 'x' })).status, 405);
});

test('A connection that a probe has left open does not hold up the end of the process.', async () => {
  const agent = new http.Agent({ keepAlive: true });
  const probe = (address) => new Promise((resolve, reject) => {
    http.get(`${address}`, { agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
  const node = await stack.another('probed');
  assert.equal(await probe(`${node.admin}/healthz`), 200);
  assert.equal(await probe(`${node.http}/openapi.json`), 200);
  await sleep(500);
  const began = Date.now();
  assert.equal(await node.end(), 0);
  const took = Date.now() - began;
  agent.destroy();
  assert.ok(took < 2500, `it took ${took} ms`);
});
