// Callers at a steady rate, and the ledger of what they were told. A caller repeats the same request
// until it has its OK, as the API asks of it; what it was told is written down the moment it comes.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from './random.mjs';

const tickMs = 20;
const batchSize = 20;
const askedAtOnceMax = 2000; // then no new ones are made: an outage must not pile up without end
const names = { 1: 'CANCELLED', 4: 'DEADLINE_EXCEEDED', 8: 'RESOURCE_EXHAUSTED', 13: 'INTERNAL', 14: 'UNAVAILABLE' };

/** What a caller may see of a fault; anything else is a wrong answer. */
export const mayBeTold = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE']);

export class Load {
  /** `rate`: notifications a second in all, half of them by calls, the others in streams and batches. */
  constructor(cluster, rate) {
    this.cluster = cluster;
    this.rate = rate;
    this.random = randomFrom('load');
    this.asked = new Map(); // message id -> what was asked and told
    this.refusals = new Map(); // code -> how often
    this.waiting = 0; // without an OK as yet
    this.streams = new Map(); // node -> its open stream
  }

  start() {
    this.running = true;
    this.stopped = false;
    this.ticking = this.#tick();
  }

  /** Asks nothing new and waits until everything asked has its OK. Returns how many have not. */
  async stop(timeoutMs = 60_000) {
    this.running = false;
    await this.ticking;
    const until = Date.now() + timeoutMs;
    while (this.waiting > 0 && Date.now() < until) await sleep(50);
    this.stopped = true;
    for (const stream of this.streams.values()) stream.call.end();
    return this.waiting;
  }

  async #tick() {
    const began = Date.now();
    for (let made = 0; this.running; await sleep(tickMs)) {
      const wanted = Math.floor(((Date.now() - began) / 1000) * this.rate) - made;
      made += wanted;
      if (this.waiting >= askedAtOnceMax) continue;
      // Not a flood after a pause of this process.
      const requests = Array.from({ length: Math.min(wanted, this.rate) }, () => this.#make());
      this.#hand(requests);
    }
  }

  #make() {
    const user = this.random.pick(this.cluster.users);
    const request = {
      user_id: user.id,
      message_id: randomUUID(),
      type: 'message',
      title: 'A title',
      body: 'A body of some words',
      priority: this.random.pick(['PRIORITY_HIGH', 'PRIORITY_MEDIUM', 'PRIORITY_LOW']),
      ...(this.random.chance(0.5) && { idempotency_key: randomUUID() }),
    };
    const entry = { request, user: user.id, askedAt: Date.now(), ids: [], tries: 0 };
    this.asked.set(request.message_id, entry);
    this.waiting++;
    return entry;
  }

  #hand(entries) {
    const streamed = [];
    for (const entry of entries) {
      if (this.random.chance(0.5)) void this.#call(entry);
      else streamed.push(entry);
    }
    while (streamed.length > 0) {
      const some = streamed.splice(0, batchSize);
      if (this.random.chance(0.2)) void this.#batch(some);
      else this.#stream(some);
    }
  }

  #node() { return this.random.pick(this.cluster.nodes); }

  #tell(entry, answer) {
    const id = answer.notification_id;
    if (entry.ids.length === 0) {
      entry.toldAt = Date.now();
      this.waiting--;
      if (this.random.chance(0.02)) void this.#again(entry);
    }
    if (!entry.ids.includes(id)) entry.ids.push(id);
  }

  #refused(code) {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** Until it is told OK, at a node chosen anew each time. */
  async #call(entry) {
    while (!this.stopped) {
      entry.tries++;
      try {
        this.#tell(entry, await this.#node().client.call('SendNotification', entry.request, { deadlineMs: 5000 }));
        return;
      } catch (error) {
        this.#refused(error.code);
        await sleep(this.random.between(50, 300));
      }
    }
  }

  /** A caller that asks once more though it was told: it must be told the same. */
  async #again(entry) {
    await sleep(this.random.between(100, 4000));
    if (!this.stopped) await this.#call(entry);
  }

  async #batch(entries) {
    try {
      const { results } = await this.#node().client.call('BatchSendNotifications',
        { notifications: entries.map((entry) => entry.request) }, { deadlineMs: 5000 });
      results.forEach((result, i) => this.#result(entries[i], result));
    } catch (error) {
      this.#refused(error.code);
      for (const entry of entries) this.#later(entry);
    }
  }

  #result(entry, result) {
    if (result.accepted) return this.#tell(entry, result.accepted);
    this.#refused(names[result.error.code] ?? `code ${result.error.code}`);
    return this.#later(entry);
  }

  #later(entry) {
    void sleep(this.random.between(50, 300)).then(() => this.#call(entry));
  }

  #stream(entries) {
    const node = this.#node();
    const stream = this.streams.get(node) ?? this.#open(node);
    const items = entries.map((entry) => {
      const sequence = stream.next++;
      stream.unanswered.set(sequence, entry);
      return { sequence, notification: entry.request };
    });
    stream.call.write({ items });
  }

  #open(node) {
    const call = node.client.notifications.StreamNotifications();
    const stream = { call, next: 0, unanswered: new Map() };
    this.streams.set(node, stream);
    call.on('data', ({ results }) => {
      for (const { sequence, result } of results) {
        const entry = stream.unanswered.get(sequence);
        stream.unanswered.delete(sequence);
        this.#result(entry, result);
      }
    });
    call.on('error', () => {}); // the status says it too
    call.on('status', ({ code }) => {
      if (this.streams.get(node) === stream) this.streams.delete(node);
      if (code !== 0) this.#refused(names[code] ?? `code ${code}`);
      for (const entry of stream.unanswered.values()) this.#later(entry);
    });
    return stream;
  }
}
