// Three service processes on one PostgreSQL, one Redis and one push-simulator; each can be ended and
// started by itself. Everything that is done to them is written down with its time: the checker
// explains by it what it finds.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stack, appId } from '../e2e/stack.mjs';
import { check } from './checker.mjs';
import { collect } from './evidence.mjs';
import { Load, mayBeTold } from './load.mjs';
import { Node, freePort } from './node.mjs';
import { Proxy } from './proxy.mjs';
import { seed } from './random.mjs';
import { header, printable, row, rule } from './report.mjs';
import { Takeover } from './takeover.mjs';

const nodeCount = 3;
const takeoverMaxMs = 10_000;
/** So that at any moment some are with the provider. */
const providerDelayMs = 60;

export class Cluster extends Stack {
  /** options.proxied: each node reaches PostgreSQL and Redis through proxies of its own. */
  static async start(settings = {}, options = {}) {
    console.log(`# seed ${seed} (NOTIFY_FAULT_SEED=${seed} gives the same moments)`);
    return super.start(settings, options);
  }

  /** The part of Stack.start() that is different here. */
  async startService() {
    this.faults = [];
    this.takeovers = [];
    this.reported = new Set();
    this.nodes = [];
    this.users = [];
    await this.#makeUsers();
    for (let i = 1; i <= nodeCount; i++) this.nodes.push(new Node(this, `n${i}`, await freePort()));
    if (this.options.proxied) await Promise.all(this.nodes.map((node) => this.#proxy(node)));
    for (const node of this.nodes) node.start();
    await this.ready();
    await this.provider();
    this.load = new Load(this, this.options.rate ?? 200);
  }

  /** Workers of each process. */
  get workers() { return Number(this.settings.NOTIFY_SERVICE_WORKERS ?? 1); }

  async #proxy(node) {
    node.postgres = await Proxy.to(path.join(this.dir, 'pg/.s.PGSQL.5432'));
    node.redis = await Proxy.to(path.join(this.dir, 'redis.sock'));
    node.settings = {
      NOTIFY_POSTGRES_URL: `postgresql://postgres@127.0.0.1:${node.postgres.port}/notification?sslmode=disable`,
      NOTIFY_REDIS_URL: `redis://127.0.0.1:${node.redis.port}`,
    };
  }

  /** Most have one device, some two; of some one is dead, or the only one. */
  async #makeUsers(count = 120) {
    const device = (dead = false) => ({
      id: randomUUID(), token: randomBytes(32).toString('hex'), app_id: appId, dead,
    });
    for (let i = 0; i < count; i++) {
      const devices = [device(i % 20 === 1)];
      if (i % 5 === 0) devices.push(device(i % 20 === 0));
      this.users.push({ id: randomUUID(), devices });
    }
    await this.simulator.put('/devices', this.users.map((user) => ({ user_id: user.id, devices: user.devices })));
  }

  ready() { return Promise.all(this.nodes.map((node) => node.ready())); }

  /** The provider's usual delay, after these faults. */
  async provider(...faults) {
    await this.simulator.clearFaults();
    const usual = { delay_ms: providerDelayMs, count: -1 };
    await this.simulator.call('POST', '/faults', [...faults, usual].map((fault) => ({ target: 'apns', ...fault })));
  }

  /** Does it and writes down when. The kinds are those of checker.mjs. */
  async fault(kind, fn) {
    const fault = { kind, start: Date.now(), end: Infinity };
    this.faults.push(fault);
    try {
      return await fn();
    } finally {
      fault.end = Date.now();
    }
  }

  /** kill -9. The takeover is watched from here on. */
  async kill(node) {
    const fault = { kind: 'kill', start: Date.now(), end: Infinity };
    this.faults.push(fault);
    const how = await node.end('SIGKILL');
    fault.end = Date.now();
    assert.equal(how, 'SIGKILL', `${node.name} lived until it was killed`);
    this.takeovers.push(new Takeover(this, node, fault.start));
  }

  /** How many Redis has, waiting or leased. */
  async queued() {
    const script = `local n = 0
      for _, p in ipairs({'high', 'medium', 'low'}) do n = n + redis.call('ZCARD', 'notification:queue:' .. p) end
      for _, k in ipairs(redis.call('KEYS', '{notification:queue:*}:inflight:*')) do n = n + redis.call('HLEN', k) end
      return n`;
    return Number(await this.redis('EVAL', script, '0'));
  }

  /** Everything is up, everything asked has its OK, and nothing is left to do; or time is over. */
  async settle(timeoutMs = 90_000) {
    await this.provider();
    for (const node of this.nodes) if (!node.lives) node.start();
    await this.ready();
    const untold = await this.load.stop(timeoutMs);
    const quiet = async () => await this.sql(`SELECT (SELECT count(*) FROM notification_history
      WHERE status IN ('pending', 'deferred')) + (SELECT count(*) FROM due)`) === '0'
      && await this.queued() === 0;
    const until = Date.now() + timeoutMs;
    while (Date.now() < until && !await quiet()) await sleep(300);
    await Promise.all(this.takeovers.map((takeover) => takeover.over));
    return untold;
  }

  /** Load until `fn` is done, then everything comes to its end, is compared, and printed as a row. */
  async verdict(t, name, fn) {
    const takeoversBefore = this.takeovers.length;
    this.load.refusals.clear();
    this.load.start();
    let untold;
    try {
      await fn();
    } finally {
      untold = await this.settle();
    }
    const report = check(await collect(this));
    const takeovers = this.takeovers.slice(takeoversBefore);
    const fresh = report.problems.filter((problem) => !this.reported.has(problem.key));
    for (const { key } of fresh) this.reported.add(key);
    for (const line of printable(report, fresh, takeovers, this.counts)) t.diagnostic(line);
    t.diagnostic(`callers saw ${JSON.stringify(Object.fromEntries(this.load.refusals))}`);
    for (const line of [header, rule]) t.diagnostic(line);
    t.diagnostic(row(name, report, this.counts, takeovers));
    this.counts = report.counts;
    assert.equal(untold, 0, 'in the end every request has its OK');
    assert.ok(report.counts.told > 0, 'there was a load');
    const wrong = [...this.load.refusals.keys()].filter((code) => !mayBeTold.has(code));
    assert.deepEqual(wrong, [], 'errors that a caller should not see');
    assert.equal(fresh.length, 0, 'problems; the lines above say which');
    for (const { error, node, movedMs } of takeovers) {
      assert.ifError(error);
      assert.ok(movedMs === undefined || movedMs <= takeoverMaxMs, `${node} was taken over after ${movedMs} ms`);
    }
    return report;
  }

  /** The end of every test file. */
  async stop() {
    const ended = await Promise.all((this.nodes ?? []).map((node) => node.end('SIGTERM')));
    for (const node of this.nodes ?? []) {
      node.client.close();
      node.postgres?.close();
      node.redis?.close();
    }
    await super.stop();
    for (const how of ended) assert.ok(how === 0 || how === undefined, `a node ends with 0 on SIGTERM: ${how}`);
  }
}
