// kill -9 at random moments, under load: while a process starts, while it serves, and one, two or all
// three at once. NOTIFY_FAULT_KILLS says how many.

import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './cluster.mjs';
import { randomFrom } from './random.mjs';

const kills = Number(process.env.NOTIFY_FAULT_KILLS ?? 20);
const random = randomFrom('kills');
let cluster;
before(async () => { cluster = await Cluster.start(); }); // with the settings as they are shipped
after(() => cluster?.stop());

async function killAndStart(node) {
  if (!node.lives) return 0;
  await cluster.kill(node);
  await sleep(random.between(200, 2000));
  node.start();
  return 1;
}

function victims() {
  const order = cluster.nodes.map((node) => ({ node, place: random.unit() })).sort((a, b) => a.place - b.place);
  const [one, two, three] = order.map(({ node }) => node);
  if (random.chance(0.04)) return [one, two, three];
  return random.chance(0.12) ? [one, two] : [one];
}

test(`${kills} times kill -9: nothing accepted is lost, and the others take over.`, async (t) => {
  await cluster.verdict(t, `kill -9 × ${kills}`, async () => {
    await sleep(1000);
    for (let done = 0; done < kills;) {
      const some = victims().slice(0, kills - done);
      done += (await Promise.all(some.map(killAndStart))).reduce((sum, one) => sum + one, 0);
      await sleep(random.between(0, 2500));
    }
  });
});
