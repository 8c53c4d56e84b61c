// Watches what becomes of the leases of a process that was killed. They stand in Redis under the
// names of its incarnations, one for each worker; only a node that takes over moves them from there.

import { setTimeout as sleep } from 'node:timers/promises';

const priorities = ['high', 'medium', 'low'];
const givenUpMs = 30_000;
/** For what the dead process had sent to Redis, and Redis has not read yet. */
const lastWordsMs = 50;

export class Takeover {
  static watched = new Set(); // incarnations

  constructor(cluster, node, killedAt) {
    this.cluster = cluster;
    this.node = node.name;
    this.killedAt = killedAt;
    this.ids = []; // what it had leased
    this.movedMs = undefined; // from the kill until none of its leases was left
    this.over = this.#watch().catch((error) => { this.error = error; });
  }

  async #watch() {
    await sleep(lastWordsMs);
    const incarnations = await this.#incarnations(); // none: it had not come to lease anything
    const keys = incarnations.flatMap((incarnation) => priorities.map(
      (priority) => `{notification:queue:${priority}}:inflight:${incarnation}`));
    for (const key of keys) {
      const ids = await this.cluster.redis('HKEYS', key);
      this.ids.push(...ids.split('\n').filter(Boolean));
    }
    if (this.ids.length === 0) return;
    const left = () => this.cluster.redis('EVAL',
      'local n = 0 for _, k in ipairs(KEYS) do n = n + redis.call("HLEN", k) end return n',
      String(keys.length), ...keys);
    while (await left() !== '0') {
      if (Date.now() - this.killedAt > givenUpMs) throw new Error(`${incarnations} were not taken over`);
      await sleep(100);
    }
    this.movedMs = Date.now() - this.killedAt;
  }

  /** Of this start of the process: the latest that nobody watches yet, one for each worker. */
  async #incarnations() {
    const names = (await this.cluster.redis('ZRANGE', 'notification:nodes', '0', '-1')).split('\n');
    const mine = names.filter((name) => name.startsWith(`${this.node}:`) && !Takeover.watched.has(name)).sort();
    const latest = mine.slice(-this.cluster.workers);
    for (const incarnation of latest) Takeover.watched.add(incarnation);
    return latest;
  }

  /** From the kill until the last of what it had leased was over, by the record. */
  doneMs({ rows }) {
    const ends = this.ids.map((id) => rows.get(id)?.end ?? 0);
    return Math.max(...ends) - this.killedAt;
  }
}
