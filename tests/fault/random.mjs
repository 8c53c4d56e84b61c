// Random moments that can be had again: everything random in a test comes from one seed, printed at
// its start. NOTIFY_FAULT_SEED sets it.

import { randomInt } from 'node:crypto';

export const seed = Number(process.env.NOTIFY_FAULT_SEED ?? randomInt(2 ** 32));

/** A generator of its own for each purpose, so that one does not shift the other (mulberry32). */
export function randomFrom(purpose) {
  let state = seed;
  for (const c of purpose) state = Math.imul(state ^ c.codePointAt(0), 0x01000193);
  const unit = () => {
    state = (state + 0x6D2B79F5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    unit,
    chance: (probability) => unit() < probability,
    between: (low, high) => low + unit() * (high - low),
    pick: (list) => list[Math.floor(unit() * list.length)],
  };
}
