// What a verdict prints.

import { describe } from './checker.mjs';

const examples = 5;

export const header = '| fault | kills | accepted | delivered | received | unaccounted | repeats | explained by |'
  + ' takeover p50, max s | over p50, max s |';
export const rule = header.replace(/[^|]+/g, '---');

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function times(values) {
  if (values.length === 0) return '–';
  return [percentile(values, 0.5), Math.max(...values)].map((ms) => (ms / 1000).toFixed(1)).join(', ');
}

/** Two counts of the same things, the second earlier. */
function since(counts, before = {}) {
  return Object.fromEntries(Object.entries(counts).map(([name, now]) => [name, typeof now === 'object'
    ? Object.fromEntries(Object.entries(since(now, before[name])).filter(([, count]) => count > 0))
    : now - (before[name] ?? 0)]));
}

/** A row of the table in docs/RELIABILITY.md: what came since the counts `before`. */
export function row(name, report, before, takeovers) {
  const counts = since(report.counts, before);
  const explained = Object.entries(counts.explained).map(([kind, count]) => `${kind} ${count}`).join(', ');
  const watched = takeovers.filter((takeover) => takeover.ids.length > 0);
  return ['', name, takeovers.length || '–', counts.told, counts.delivered, counts.received, counts.unaccounted,
    counts.repeats, explained || '–', times(watched.map((takeover) => takeover.movedMs)),
    times(watched.map((takeover) => takeover.doneMs(report.index))), ''].join(' | ').trim();
}

/** The comparison for people: counts, then problems and repeats by kind, with examples. */
export function* printable(report, fresh, takeovers, before) {
  const { explained, ...numbers } = since(report.counts, before);
  yield Object.entries(numbers).map(([name, number]) => `${name} ${number}`).join('; ');
  yield* byKind(fresh, ({ kind }) => kind, ({ id, detail }) => `${id} ${detail}`);
  // They stand in the order of their first requests.
  const explainedNow = report.repeats.slice(before?.repeats ?? 0).filter((repeat) => repeat.explanation);
  yield* byKind(explainedNow, (repeat) => `repeats explained by ${repeat.explanation}`, describe);
  if (takeovers.length > 0) {
    const holders = takeovers.filter((takeover) => takeover.ids.length > 0);
    const leases = holders.reduce((sum, takeover) => sum + takeover.ids.length, 0);
    yield `${takeovers.length} processes were killed, ${holders.length} of them with ${leases} leases in all`;
  }
}

function* byKind(list, kindOf, print) {
  const kinds = new Map();
  for (const item of list) kinds.set(kindOf(item), [...(kinds.get(kindOf(item)) ?? []), item]);
  for (const [kind, some] of kinds) {
    yield `${kind}: ${some.length}`;
    for (const item of some.slice(0, examples)) yield `    ${print(item)}`;
  }
}
