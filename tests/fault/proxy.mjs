// A TCP port in front of a server's socket that can cut connections, hold them up, refuse new ones,
// and lose an answer after the server has done what it was asked.

import net from 'node:net';

/** ReadyForQuery, not in a transaction: PostgreSQL has committed. */
const committed = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

export class Proxy {
  static to(socketPath) {
    const proxy = new Proxy();
    proxy.pairs = new Set();
    proxy.lost = 0; // answers
    proxy.server = net.createServer((client) => proxy.#connect(client, socketPath));
    return new Promise((resolve, reject) => {
      proxy.server.on('error', reject);
      proxy.server.listen(0, '127.0.0.1', () => {
        proxy.port = proxy.server.address().port;
        resolve(proxy);
      });
    });
  }

  #connect(client, socketPath) {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const server = net.connect(socketPath);
    const pair = { client, server };
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (data) => {
      if (this.losing && !pair.losing && data.includes(this.losing.request)) pair.losing = this.losing;
      server.write(data);
    });
    server.on('data', (data) => {
      if (!pair.losing) {
        client.write(data);
      } else if (data.includes(pair.losing.answer)) {
        this.lost++;
        end();
      }
    });
    if (this.stalled) this.#hold(pair);
  }

  #hold({ client, server }) {
    client.pause();
    server.pause();
  }

  /** Ends all connections; new ones are welcome. */
  cut() {
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Ends all connections, and every new one. */
  refuse() {
    this.refusing = true;
    this.cut();
  }

  /** Nothing goes through and nothing is closed, as when a cable is out. */
  stall() {
    this.stalled = true;
    for (const pair of this.pairs) this.#hold(pair);
  }

  /** All is well again. What was held up goes on. */
  heal() {
    Object.assign(this, { refusing: false, stalled: false, losing: undefined });
    for (const { client, server } of this.pairs) {
      client.resume();
      server.resume();
    }
  }

  /** From now on: requests with these bytes are done, and their connection ends instead of an answer. */
  loseAnswersTo(request, answer = committed) { this.losing = { request, answer }; }

  close() {
    this.cut();
    this.server.close();
  }
}
