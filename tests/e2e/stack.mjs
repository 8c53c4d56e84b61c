// A private stack for one test file: PostgreSQL, Redis, the push simulator (Apple and auth-service)
// and the service, started by scripts/stack in a directory of their own. The service is a child of the
// test, so that a test can see how it ends. tests/fault runs several services on one (cluster.mjs).

import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from './client.mjs';

export const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.join(here, '../..');
/** Where the two programs are; scripts/stack goes by the same variable. */
export const programs = process.env.STACK_BIN ?? path.join(root, 'build/release');
export const appId = 'com.whispr.app';
const stackScript = path.join(root, 'scripts/stack');
const pgBin = '/usr/lib/postgresql/15/bin';

const execute = promisify(execFile);

/** Tests send much to few users: rate limits count, and are not reached. Tests of limits set their own. */
const roomyLimits = {
  NOTIFY_LIMITS_USER: '1000000/1m,1000000/1h,1000000/1d',
  NOTIFY_LIMITS_CONVERSATION: '1000000/1h',
};

/** One as FCM gives them out: an installation id, a colon, and the address proper. */
export function fcmToken() {
  return `c${randomBytes(15).toString('base64url')}0:APA91b${randomBytes(100).toString('base64url')}`;
}

/** Calls `fn` until what it returns is truthy, and returns that. What it throws counts as not yet. */
export async function eventually(fn, timeoutMs = 10_000, what = fn.toString()) {
  const until = Date.now() + timeoutMs;
  for (let last; ;) {
    try {
      const value = await fn();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) {
      throw new Error(`not within ${timeoutMs} ms: ${what}`, last && { cause: last });
    }
    await sleep(25);
  }
}

/** Runs a program to its end, whatever its exit status. */
export function run(program, args, { input, ...options } = {}) {
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: 1 << 26, timeout: 60_000, ...options },
      (error, stdout, stderr) => {
        const code = error ? error.code ?? error.signal : 0;
        resolve({ code, stdout, stderr });
      });
    child.stdin.on('error', () => {}); // it ended without reading
    child.stdin.end(input);
  });
}

/** The environment without the settings of whoever runs the tests. */
function cleanEnvironment(extra) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('NOTIFY_'));
  return { ...Object.fromEntries(kept), ...extra };
}

/**
 * Starts a service process of a stack. `name` is that of its log and of its file with the process id,
 * by which scripts/stack finds it. Returns the child, and a promise of how it ends.
 */
export function spawnService(stack, settings, portsFile, name = 'service') {
  fs.rmSync(portsFile, { force: true });
  const log = fs.openSync(path.join(stack.dir, 'log', name), 'a');
  const child = spawn(path.join(programs, 'notification-service'),
    ['serve', '--config', stack.config, '--ports-file', portsFile],
    { env: cleanEnvironment(settings), stdio: ['ignore', log, log] });
  fs.closeSync(log);
  fs.writeFileSync(path.join(stack.dir, `${name}.pid`), `${child.pid}\n`);
  const ended = new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ?? code));
    child.on('error', (error) => resolve(error.message));
  });
  return { child, ended };
}

/** Stacks that run. A test that is interrupted or crashes leaves none behind. */
const running = new Set();
process.on('exit', () => {
  if (process.env.E2E_KEEP) return;
  for (const dir of running) spawnSync(stackScript, ['stop', dir], { env: cleanEnvironment(), stdio: 'ignore' });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export class Stack {
  /**
   * Settings as environment variables, as in { NOTIFY_DELIVER_RETRY_DELAYS: '1s' };
   * options.environment: variables for scripts/stack; options.userService: the service asks it.
   */
  static async start(settings = {}, options = {}) {
    const stack = new this();
    stack.settings = { ...roomyLimits, ...settings };
    stack.options = options;
    stack.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ne2e.'));
    running.add(stack.dir);
    stack.others = new Set(); // further service processes
    stack.secrets = new Set(); // what must never appear in a log
    try {
      await execute(stackScript, ['start', stack.dir, '--no-service'],
        { env: cleanEnvironment(options.environment) });
      const ports = JSON.parse(stack.read('simulator/ports.json'));
      stack.simulator = new Simulator(`http://127.0.0.1:${ports.control}`);
      if (options.userService) stack.settings.NOTIFY_USER_SERVICE_ADDRESS = `127.0.0.1:${ports.auth}`;
      await stack.startService();
    } catch (error) {
      console.error(`# ${error.stderr ?? error.message}`);
      await stack.stop();
      throw error;
    }
    return stack;
  }

  get config() { return path.join(this.dir, 'config.yaml'); }
  read(file) { return fs.readFileSync(path.join(this.dir, file), 'utf8'); }

  async startService() {
    const portsFile = path.join(this.dir, 'ports.json');
    const { child, ended } = spawnService(this, this.settings, portsFile);
    this.service = child;
    this.serviceEnded = ended;
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`it ended: ${this.read('log/service')}`);
      return fs.existsSync(portsFile);
    }, 15_000, 'the service is up');
    const ports = JSON.parse(this.read('ports.json'));
    this.address = `127.0.0.1:${ports.grpc}`;
    this.http = `http://127.0.0.1:${ports.http}`;
    this.admin = `http://127.0.0.1:${ports.admin}`;
    this.client?.close();
    this.client = new Client(this.address);
    await this.ready();
  }

  /**
   * Another service process on the same servers, with these settings besides: { client, address, http, admin, child, end },
   * of which end() sends SIGTERM and returns the exit status. stop() ends it too, and wants 0.
   */
  async another(name, settings = {}) {
    const portsFile = path.join(this.dir, `${name}-ports.json`);
    const { child, ended } = spawnService(this,
      { ...this.settings, NOTIFY_SERVICE_NODE_NAME: name, ...settings }, portsFile, `service-${name}`);
    const node = { child,
      end: () => {
        node.client?.close();
        child.kill('SIGTERM');
        this.others.delete(node);
        return ended;
      } };
    this.others.add(node);
    const ports = await eventually(() => JSON.parse(fs.readFileSync(portsFile, 'utf8')), 15_000,
      `${name} is up (its log: ${this.dir}/log/service-${name})`);
    node.address = `127.0.0.1:${ports.grpc}`;
    node.client = new Client(node.address);
    node.admin = `http://127.0.0.1:${ports.admin}`;
    node.http = `http://127.0.0.1:${ports.http}`;
    await eventually(async () => (await fetch(`${node.admin}/readyz`)).status === 200, 15_000, `${name} is ready`);
    return node;
  }

  ready() {
    return eventually(async () => (await fetch(`${this.admin}/readyz`)).status === 200, 15_000,
      'the service is ready');
  }

  /** Sends a signal and returns the exit status, or the signal's name if that ended it. */
  async endService(signal = 'SIGTERM', timeoutMs = 40_000) {
    if (!this.service) return undefined;
    this.service.kill(signal);
    const late = sleep(timeoutMs, `still running ${timeoutMs} ms after ${signal}`, { ref: false });
    const ended = await Promise.race([this.serviceEnded, late]);
    if (this.service && (this.service.exitCode !== null || this.service.signalCode !== null)) {
      this.service = undefined;
      fs.rmSync(path.join(this.dir, 'service.pid'), { force: true });
    }
    return ended;
  }

  /** The end of every test file: the service must have lived until now and must end well. */
  async stop() {
    let ended;
    const ends = await Promise.all([...this.others].map((node) => node.end()));
    try {
      this.client?.close();
      ended = await this.endService();
    } finally {
      if (process.env.E2E_KEEP) {
        console.error(`# kept: ${this.dir}; scripts/stack service ${this.dir} starts the service again`);
      } else {
        await execute(stackScript, ['stop', this.dir], { env: cleanEnvironment() });
        running.delete(this.dir);
      }
    }
    if (ended !== undefined) assert.equal(ended, 0, 'the service ends with 0 on SIGTERM');
    assert.deepEqual(ends, ends.map(() => 0), 'every other service too');
  }

  /** Runs notification-service with these arguments. */
  program(args, { env = {}, ...options } = {}) {
    return run(path.join(programs, 'notification-service'), args,
      { env: cleanEnvironment({ NOTIFY_CONFIG: this.config, ...env }), ...options });
  }

  /** The answer to one query, as text: columns by '|', rows by line. */
  async sql(query) {
    const { stdout } = await execute('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-h',
      path.join(this.dir, 'pg'), '-U', 'postgres', '-d', 'notification', '-c', query]);
    return stdout.trim();
  }

  async redis(...args) {
    const { stdout } = await execute('redis-cli', ['-s', path.join(this.dir, 'redis.sock'), ...args]);
    return stdout.trim();
  }

  async killRedis() {
    const pid = Number(this.read('redis.pid'));
    process.kill(pid, 'SIGKILL');
    await eventually(() => !fs.existsSync(`/proc/${pid}`) || /^State:\s*Z/m.test(
      fs.readFileSync(`/proc/${pid}/status`, 'utf8')), 5000, 'Redis is gone');
  }

  startRedis() { return execute(stackScript, ['redis', this.dir]); }

  /** 'stop' or 'start'. */
  async postgres(what) {
    const sockets = path.join(this.dir, 'pg');
    const args = ['-w', '-D', path.join(sockets, 'data'), '-l', path.join(sockets, 'log')];
    if (what === 'start') {
      args.push('-o', `-k ${sockets} -c listen_addresses= -c max_connections=200`);
    } else {
      args.push('-m', 'immediate');
    }
    args.push(what);
    const asOwner = process.getuid() === 0
      ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', `${pgBin}/pg_ctl`]
      : [`${pgBin}/pg_ctl`];
    const [program, ...rest] = [...asOwner, ...args];
    // Not through execFile: the server would hold its pipes open.
    const code = await new Promise((resolve, reject) => {
      const child = spawn(program, rest, { cwd: '/', stdio: 'ignore' });
      child.on('exit', resolve);
      child.on('error', reject);
    });
    assert.equal(code, 0, `pg_ctl ${what}`);
  }

  /** A user with these devices, each { dead, ... }; their ids and tokens are made up. */
  async user(...devices) {
    const user = { id: randomUUID(), devices: [] };
    for (const device of devices) {
      const token = device.platform === 'android' ? fcmToken() : randomBytes(32).toString('hex');
      this.secrets.add(token);
      user.devices.push({ id: randomUUID(), token, app_id: appId, ...device });
    }
    this.secrets.add(user.id);
    await this.simulator.put('/devices', { user_id: user.id, devices: user.devices });
    return user;
  }

  /**
   * A user with one browser, whose push service is the simulator. `fields` go to POST /subscriptions;
   * its device has `subscription`, the id by which the simulator tells what it received.
   */
  async webUser(fields = {}) {
    const subscription = `browser-${randomUUID()}`;
    const { token } = await this.simulator.call('POST', '/subscriptions', { id: subscription, ...fields });
    return this.userOfBrowser(token, subscription);
  }

  /** A user with the browser that has this token: the JSON of its subscription. */
  async userOfBrowser(token, subscription) {
    const { keys, endpoint } = JSON.parse(token);
    for (const secret of [keys.auth, keys.p256dh, endpoint]) this.secrets.add(secret);
    const user = await this.user({ platform: 'web', token, app_id: '' });
    user.devices[0].subscription = subscription;
    return user;
  }

  /** A valid request, with texts that occur nowhere else. */
  request(user, fields = {}) {
    const request = {
      user_id: user.id,
      type: 'message',
      title: `Title ${randomUUID()}`,
      body: `Body ${randomUUID()}`,
      ...fields,
    };
    for (const text of [request.title, request.body]) if (text) this.secrets.add(text);
    return request;
  }

  /** Sends a valid request with these fields and returns the notification's id. */
  async send(user, fields = {}, options = {}) {
    const answer = await this.client.call('SendNotification', this.request(user, fields), options);
    return answer.notification_id;
  }

  get(id) { return this.client.call('GetNotification', { notification_id: id }); }

  /** Waits until it is no longer pending, and returns { status, notification, attempts }. */
  async settled(id, timeoutMs = 15_000) {
    return eventually(async () => {
      const { notification, attempts } = await this.get(id);
      const status = notification.status.replace('NOTIFICATION_STATUS_', '');
      return status !== 'PENDING' && { status, notification, attempts };
    }, timeoutMs, `notification ${id} is settled`);
  }

  /** Waits until all are settled, asking the database rather than one by one. */
  async allSettled(ids, timeoutMs = 30_000) {
    const list = ids.map((id) => `'${id}'`).join(',');
    const left = () => this.sql('SELECT count(*) FROM notification_history '
      + `WHERE id IN (${list}) AND status = 'pending'`);
    await eventually(async () => await left() === '0', timeoutMs, `${ids.length} are settled`);
    const rows = await this.sql('SELECT status, count(*) FROM notification_history '
      + `WHERE id IN (${list}) GROUP BY 1 ORDER BY 1`);
    return Object.fromEntries(rows.split('\n').filter(Boolean).map((row) => {
      const [status, count] = row.split('|');
      return [status, Number(count)];
    }));
  }

  /** What of the secrets used so far stands in a log of the stack. */
  leaks() {
    const files = fs.readdirSync(path.join(this.dir, 'log')).map((name) => `log/${name}`);
    const logs = [...files, 'pg/log'].map((file) => [file, this.read(file)]);
    assert.match(this.read('log/service'), /serving/, 'there is a log at all');
    const found = [];
    for (const secret of this.secrets) {
      for (const [file, text] of logs) if (text.includes(secret)) found.push(`${file}: ${secret}`);
    }
    return found;
  }
}

/** The control port of push-simulator; tools/push-simulator/README.md describes it. */
class Simulator {
  constructor(url) { this.url = url; }

  async call(method, target, body) {
    const response = await fetch(this.url + target,
      { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${target}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
  get(target) { return this.call('GET', target); }
  put(target, body) { return this.call('PUT', target, body); }

  /** Trouble for requests to APNs; `to` is a device, or nothing for all. */
  fault(fault, to) {
    return this.call('POST', '/faults', { target: 'apns', ...(to && { token: to.token }), ...fault });
  }
  fcmFault(fault, to) { return this.fault({ target: 'fcm', ...fault }, to); }
  /** Trouble for requests to the browsers' push service. */
  webFault(fault, to) {
    return this.call('POST', '/faults', { target: 'webpush', ...(to && { token: to.subscription }), ...fault });
  }
  authFault(fault) { return this.call('POST', '/faults', { target: 'auth', ...fault }); }
  clearFaults() { return this.call('DELETE', '/faults'); }
  stats() { return this.get('/stats'); }
  device(device) { return this.get(`/devices/${device.subscription ?? device.token}`); }

  /** Everything that was sent to a device, oldest first. */
  async received(device) {
    const lines = [];
    for (;;) {
      const page = await this.get(`/received?since=${lines.length}&limit=10000`);
      lines.push(...page);
      if (page.length === 0) break;
    }
    return lines.filter((line) => line.token === (device.subscription ?? device.token));
  }
}
