// One of the service processes of a cluster. It keeps its port, so that callers find it again.

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../e2e/client.mjs';
import { eventually, spawnService } from '../e2e/stack.mjs';

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Node {
  constructor(stack, name, port) {
    Object.assign(this, { stack, name, port, settings: {} });
    this.client = new Client(`127.0.0.1:${port}`);
  }

  /** Starts the process; `ready()` says when it serves. */
  start() {
    const settings = {
      ...this.stack.settings,
      NOTIFY_SERVICE_NODE_NAME: this.name,
      NOTIFY_GRPC_LISTEN: `127.0.0.1:${this.port}`,
      ...this.settings,
    };
    const { child, ended } = spawnService(this.stack, settings, this.#portsFile, `service-${this.name}`);
    this.child = child;
    this.ended = ended;
  }

  get #portsFile() { return path.join(this.stack.dir, `ports-${this.name}.json`); }
  get lives() { return this.child?.exitCode === null && this.child.signalCode === null; }

  ready(timeoutMs = 20_000) {
    return eventually(async () => {
      if (!this.lives) throw new Error(`${this.name} has ended`);
      const { admin } = JSON.parse(fs.readFileSync(this.#portsFile, 'utf8'));
      return (await fetch(`http://127.0.0.1:${admin}/readyz`)).status === 200;
    }, timeoutMs, `${this.name} is ready`);
  }

  /** Sends a signal and returns the exit status, or the name of the signal that ended it. */
  async end(signal, timeoutMs = 40_000) {
    if (!this.lives) return undefined;
    this.child.kill(signal);
    const late = sleep(timeoutMs, `still running ${timeoutMs} ms after ${signal}`, { ref: false });
    const how = await Promise.race([this.ended, late]);
    if (!this.lives) fs.rmSync(path.join(this.stack.dir, `service-${this.name}.pid`), { force: true });
    return how;
  }
}
