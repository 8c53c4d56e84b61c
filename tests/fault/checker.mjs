// The three-way comparison: what callers were told, what PostgreSQL holds, what the provider received.
// It knows nothing of servers: evidence.mjs brings it what it compares, so that its own test can
// change any of the three.

/** Statuses at which nothing is left to do. */
const over = new Set(['delivered', 'opened', 'failed', 'expired', 'suppressed', 'cancelled', 'superseded', 'sent']);
/** Between a kill and the last request of the dead process that the simulator reads from its socket. */
const buffersMs = 500;
/** After Redis has lost something, until all nodes have found out: a heartbeat's timeout and two sweeps. */
const rebuildMs = 26_000;

/** An outcome that was on record for so long must have been read before anything was sent again. */
const recordMs = 500;

/**
 * The faults that explain why a provider accepted a notification twice, and which repeats they
 * explain. A fault that is not here explains none: PostgreSQL going away, a full disk, SIGTERM, an
 * upgrade and a GOAWAY must not repeat anything. Nor is anything explained that was on record.
 */
const explains = {
  // Sent by the process that died, before the outcome was on record: its connection ends with it.
  'kill': (repeat, fault) => within(repeat, fault, buffersMs) && repeat.connectionEnds <= fault.end + buffersMs,
  // What Redis has forgotten: that it was sent already, or that another node is sending it.
  'redis killed': (repeat, fault) => within(repeat, fault, rebuildMs),
  'redis emptied': (repeat, fault) => within(repeat, fault, rebuildMs),
  'redis set back': (repeat, fault) => within(repeat, fault, rebuildMs),
  // A node that nobody hears is taken over, whatever it is doing.
  'redis cut': (repeat, fault) => within(repeat, fault, rebuildMs),
  // The answer was lost with the connection: this one's, or another's on the same one.
  'provider cut': (repeat) => repeat.cut,
};

/** Whether the fault came between the two, or while the first was under way. */
function within(repeat, fault, afterMs) {
  return repeat.first.at <= fault.end + afterMs && repeat.second.at >= fault.start;
}

function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/** A request that was cut off after it was accepted has no status, but was received. */
export const wasAccepted = ({ status, fault }) => status === 200 || (status === 0 && fault === 'cut_after');

/**
 * asked:    [{ message, user, ids, toldAt }], ids being all that callers were told OK with
 * users:    [{ id, devices: [{ id, token, dead }] }]
 * rows:     [{ id, user, message, status, end }], end being when it was delivered or expired, if it was
 * attempts: [{ notification, device, status, at, next }]
 * due:      [{ notification, at }]
 * receipts: [{ at, apns, token, notification, status, fault, connection }]
 * faults:   [{ kind, start, end }]
 * Times are milliseconds since 1970.
 */
export function check(evidence) {
  const index = {
    users: new Map(evidence.users.map((user) => [user.id, user])),
    asked: new Map(evidence.asked.map((entry) => [entry.message, entry])),
    rows: new Map(evidence.rows.map((row) => [row.id, row])),
    attempts: groupBy(evidence.attempts, (attempt) => attempt.notification),
    due: new Set(evidence.due.filter((due) => due.at > evidence.now).map((due) => due.notification)),
    accepted: groupBy(evidence.receipts.filter(wasAccepted), (receipt) => receipt.notification),
  };
  const problems = [];
  const problem = (kind, id, detail = '') => problems.push({ key: `${kind}: ${id}`, kind, id, detail });
  checkTold(evidence, index, problem);
  checkRows(evidence, index, problem);
  checkReceived(index, problem);
  const repeats = findRepeats(evidence, index);
  for (const repeat of repeats) {
    if (!repeat.explanation) problem('unexplained repeat', `${repeat.apns} no. ${repeat.number}`, describe(repeat));
  }
  return { counts: count(evidence, index, problems, repeats), problems, repeats, index };
}

/** What callers were told has a row, and the same one however often they asked. */
function checkTold({ asked }, { rows }, problem) {
  for (const { message, ids, toldAt } of asked) {
    if (ids.length > 1) problem('told two ids', message, ids.join(' '));
    for (const id of ids) if (!rows.has(id)) problem('told OK without a row', id, `told at ${toldAt}`);
  }
}

/** Every row was asked for, once, and has come to the right end, which the provider confirms. */
function checkRows({ rows }, index, problem) {
  for (const [message, same] of groupBy(rows, (row) => row.message)) {
    if (!index.asked.has(message)) problem('a row that nobody asked for', same[0].id);
    if (same.length > 1) problem('two rows for one request', message, same.map((row) => row.id).join(' '));
  }
  for (const row of rows) {
    if (over.has(row.status)) checkEnd(row, index, problem);
    else if (!index.due.has(row.id)) problem('neither over nor waiting', row.id, row.status);
  }
}

function checkEnd(row, index, problem) {
  const user = index.users.get(row.user);
  const received = new Set((index.accepted.get(row.id) ?? []).map((receipt) => receipt.token));
  const delivered = new Set((index.attempts.get(row.id) ?? [])
    .filter((attempt) => attempt.status === 'delivered').map((attempt) => attempt.device));
  const live = (user?.devices ?? []).filter((device) => !device.dead);
  const wanted = live.length > 0 ? 'delivered' : 'failed';
  if (row.status !== wanted) problem('a wrong end', row.id, `${row.status}, not ${wanted}`);
  for (const device of live) {
    if (!received.has(device.token)) {
      problem('never received', row.id, `${row.status}; device ${device.id}, `
        + `${delivered.has(device.id) ? 'on record as delivered' : 'not on record'}`);
    } else if (!delivered.has(device.id)) {
      problem('received, and not on record', row.id, `${row.status}; device ${device.id}`);
    }
  }
}

/** What the provider has received has a row, went to its user, and kept its apns-id. */
function checkReceived({ accepted, rows, users }, problem) {
  for (const [id, receipts] of accepted) {
    const row = rows.get(id);
    if (!row) {
      problem('received without a row', id);
      continue;
    }
    const tokens = new Set(users.get(row.user)?.devices.map((device) => device.token));
    for (const [token, same] of groupBy(receipts, (receipt) => receipt.token)) {
      if (!tokens.has(token)) problem('sent to somebody else', id);
      if (new Set(same.map((receipt) => receipt.apns)).size > 1) problem('two apns-ids', id);
    }
  }
}

/** Each acceptance after the first, with the fault that explains it, if one does. */
function findRepeats({ receipts, faults }, index) {
  const connectionEnds = new Map();
  const cuts = new Map(); // connection -> when it was cut
  for (const { connection, at, fault } of receipts) {
    connectionEnds.set(connection, at);
    if (fault === 'cut_after' || fault === 'cut_before') cuts.set(connection, at);
  }
  const repeats = [];
  for (const [notification, all] of index.accepted) {
    if (all.length === 1) continue;
    for (const same of groupBy(all, (receipt) => receipt.token).values()) {
      for (let i = 1; i < same.length; i++) {
        const [first, second] = [same[i - 1], same[i]];
        const repeat = {
          notification, apns: second.apns, number: i + 1, first, second,
          connectionEnds: connectionEnds.get(first.connection),
          cut: cuts.get(first.connection) >= first.at && cuts.get(first.connection) <= second.at,
          onRecord: recordedBefore(second, notification, index),
        };
        const explained = (fault) => !repeat.onRecord && explains[fault.kind]?.(repeat, fault);
        repeat.explanation = faults.findLast(explained)?.kind;
        repeats.push(repeat);
      }
    }
  }
  return repeats;
}

/** Whether the record told of a delivery to this device when it was sent again. */
function recordedBefore(receipt, notification, { attempts, rows, users }) {
  const devices = users.get(rows.get(notification)?.user)?.devices ?? [];
  const device = devices.find(({ token }) => token === receipt.token)?.id;
  return (attempts.get(notification) ?? []).some((attempt) => attempt.device === device
    && attempt.status === 'delivered' && attempt.at + recordMs < receipt.at);
}

/** A repeat for people. */
export function describe({ notification, first, second, connectionEnds, onRecord }) {
  const at = (ms) => new Date(ms).toISOString().slice(11, 23);
  return `${notification} at ${at(first.at)} on connection ${first.connection} (last used ${at(connectionEnds)}) `
    + `and at ${at(second.at)} on ${second.connection}${onRecord ? ', the first being on record' : ''}`;
}

function count({ asked, rows, receipts }, index, problems, repeats) {
  const told = new Set(asked.flatMap((entry) => entry.ids));
  const byStatus = (status) => rows.filter((row) => row.status === status).length;
  const explained = {};
  for (const { explanation = 'nothing' } of repeats) explained[explanation] = (explained[explanation] ?? 0) + 1;
  return {
    asked: asked.length,
    told: told.size,
    untold: rows.filter((row) => !told.has(row.id)).length,
    rows: rows.length,
    delivered: byStatus('delivered'),
    failed: byStatus('failed'),
    waiting: rows.filter((row) => !over.has(row.status) && index.due.has(row.id)).length,
    requests: receipts.length,
    received: [...index.accepted.values()].reduce((sum, some) => sum + some.length, 0),
    repeats: repeats.length,
    repeatsOfWhatWasOnRecord: repeats.filter((repeat) => repeat.onRecord).length,
    explained,
    unaccounted: problems.filter((problem) => problem.kind !== 'unexplained repeat').length,
  };
}
