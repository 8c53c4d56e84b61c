#pragma once
// The scripts of heartbeat and recover: life signs and epochs, and what is put back.

#include "storage/redis/script.hpp"
#include "stores/redis_script_parts.hpp"

namespace notify::stores::scripts {

/// KEYS queue, suspect, users, epoch, nodes, ids; ARGV node that asks, priority, ttl, count, id of
/// the epoch, only this node's leases or "". Moves up to count leases of nodes whose time has run
/// out back into the queue, and strikes off the nodes that have none left. Returns how many it
/// moved, and "1" if there may be more; -1 in another epoch, of which a missing heartbeat says
/// nothing.
inline const redis::Script kTakeOver(kAllowOom + kPrelude + R"(
if not in_epoch(KEYS[4], ARGV[5]) then return {-1, ''} end
local now, left, moved = now_ms(), tonumber(ARGV[4]), 0
local entries = redis.call('HGETALL', KEYS[5])
for e = 1, #entries, 2 do
  local node = entries[e]
  local _, till = term_of(entries[e + 1])
  local is_gone = node ~= ARGV[1] and till <= now
  if ARGV[6] ~= '' then is_gone = node == ARGV[6] end
  if is_gone and left > 0 then
    local inflight = inflight_of(KEYS[1], node)
    local pairs_ = redis.call('HRANDFIELD', inflight, left, 'WITHVALUES')
    for i = 1, #pairs_, 2 do
      local item = pairs_[i + 1]
      put_back(KEYS[1], inflight, KEYS[2], KEYS[3], KEYS[6], pairs_[i], item,
        created(item, ARGV[2]))
    end
    moved, left = moved + #pairs_ / 2, left - #pairs_ / 2
    if redis.call('EXISTS', inflight) == 0 then redis.call('HDEL', KEYS[5], node) end
  end
end
if moved > 0 then renew(ARGV[3], KEYS[1], KEYS[2], KEYS[6]) end
return {moved, left == 0 and '1' or ''}
)");

/// KEYS queue, suspect, epoch, ids, nodes; ARGV ttl, id of the epoch, then id, score, member for
/// each item. Puts in what is neither queued nor leased, as a suspect; returns how many, or -1 in
/// another epoch: its books may lack what is leased.
inline const redis::Script kReadmit(kStanding + R"(
if not in_epoch(KEYS[3], ARGV[2]) then return -1 end
local ids = {}
for i = 3, #ARGV, 3 do ids[#ids + 1] = ARGV[i] end
local held = leased(KEYS[1], KEYS[5], ids)
local added = 0
for i = 3, #ARGV, 3 do
  if not held[ARGV[i]] and redis.call('SADD', KEYS[4], ARGV[i]) == 1 then
    redis.call('SADD', KEYS[2], ARGV[i])
    redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i + 2])
    added = added + 1
  end
end
if added > 0 then renew(ARGV[1], KEYS[1], KEYS[2], KEYS[4]) end
return added
)");

/// KEYS queue, suspect, epoch, ids, nodes; ARGV ttl, id of the epoch, id, score, member, until when
/// it may still come in (ms, by the server's clock). A node that leases it from now on gets it as a
/// suspect: 0. While it may still come it is put in if it is not queued: what comes later, and
/// would not be a suspect, changes nothing then. 1 if it is leased, -1 in another epoch.
inline const redis::Script kWithdraw(kStanding + R"(
if not in_epoch(KEYS[3], ARGV[2]) then return -1 end
if leased(KEYS[1], KEYS[5], {ARGV[3]})[ARGV[3]] then return 1 end
if now_ms() < tonumber(ARGV[6]) and redis.call('SADD', KEYS[4], ARGV[3]) == 1 then
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[5])
end
if redis.call('SISMEMBER', KEYS[4], ARGV[3]) == 1 then
  redis.call('SADD', KEYS[2], ARGV[3])
  renew(ARGV[1], KEYS[1], KEYS[2], KEYS[4])
end
return 0
)");

/// KEYS epoch, queue, old, nodes, ids, suspect, users, aside, unreadable; ARGV id for a new epoch,
/// ttl, node, ms that the node lives now, version, priority. A node's life sign.
///
/// Begins an epoch if the server is not the one in which the last one began, or has none: what is
/// queued may have been delivered since, and is put aside; all terms end. A log or a replica has
/// all that was written up to some moment, and no heartbeat of after it. So a queue that was whole
/// has lost nothing of before the last heartbeat that it knows. That is `lost`; unset: it may have
/// lost all.
///
/// Returns id of the epoch, its age in ms, "1" if whole, the server's time in ms, the node's term,
/// lost, rebuilt_until, rebuilt_down_to.
inline const redis::Script kBeat(kAllowOom + kStanding + R"(
local run, repl, now = server('server', 'run_id'), replid(), now_ms()
local epoch, queue, old, nodes, ids = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local aside, unreadable = KEYS[8], KEYS[9]
local known = redis.call('HMGET', epoch, 'id', 'run', 'replid', 'since', 'whole', 'beat', 'lost')
local last_term = tonumber(redis.call('HGET', epoch, 'term') or 0)
local function put_in_old(items)
  local scored = {}
  for i = 1, #items, 2 do
    scored[i], scored[i + 1] = items[i + 1], items[i]
  end
  if #scored > 0 then redis.call('ZADD', old, 'NX', unpack(scored)) end
end
if known[2] ~= run or known[3] ~= repl then
  local lost = ''
  local beat, lost_before = known[6], known[7]
  if beat and known[5] == '1' then lost = beat end
  if beat and known[5] ~= '1' and lost_before and lost_before ~= '' then
    lost = string.format('%d', math.min(beat, lost_before))
  end
  known = {ARGV[1], run, repl, now, '', now, lost}
  redis.call('HSET', epoch, 'id', ARGV[1], 'run', run, 'replid', repl, 'since', now, 'whole', '',
    'lost', lost, 'rebuilt_until', '', 'rebuilt_down_to', '')
  for _, node in ipairs(redis.call('HKEYS', nodes)) do
    redis.call('HSET', nodes, node, '0:' .. string.format('%d', now + ARGV[4]))
  end
  if redis.call('EXISTS', queue) == 1 and redis.call('RENAMENX', queue, old) == 0 then
    redis.call('ZUNIONSTORE', old, 2, old, queue, 'AGGREGATE', 'MIN')
    redis.call('DEL', queue)
  end
  for _, name in ipairs(redis.call('SMEMBERS', aside)) do
    local list = aside .. ':' .. name
    for from = 0, redis.call('ZCARD', list) - 1, 1000 do
      put_in_old(redis.call('ZRANGE', list, from, from + 999, 'WITHSCORES'))
    end
    redis.call('DEL', list)
  end
  redis.call('DEL', ids, aside)
end
local term, till = term_of(redis.call('HGET', nodes, ARGV[3]))
if not term or term == '0' or till <= now then
  term = string.format('%d', math.max(last_term + 1, now))
  redis.call('HSET', epoch, 'term', term)
end
redis.call('HSET', nodes, ARGV[3], term .. ':' .. string.format('%d', now + ARGV[4]))
redis.call('HSET', epoch, 'beat', now)
for _, item in ipairs(redis.call('ZRANGEBYSCORE', unreadable, '-inf', '(' .. ARGV[5],
    'LIMIT', 0, 200)) do
  local id = id_of(item)
  redis.call('ZREM', unreadable, item)
  redis.call('SADD', KEYS[6], id)
  redis.call('SADD', ids, id)
  local ms = tonumber(string.sub(item, 14, 21) .. string.sub(item, 23, 26), 16)
  redis.call('ZADD', queue, string.format('%d', (ms or 0) * 4 + ARGV[6]), item)
end
-- An item that somebody has removed by hand would be thought to be queued for ever.
local is_simple = redis.call('EXISTS', aside, unreadable) == 0
if is_simple and redis.call('SCARD', ids) ~= redis.call('ZCARD', queue) then
  redis.call('DEL', ids)
  for from = 0, redis.call('ZCARD', queue) - 1, 1000 do
    local names = {}
    for i, item in ipairs(redis.call('ZRANGE', queue, from, from + 999)) do
      names[i] = id_of(item)
    end
    redis.call('SADD', ids, unpack(names))
  end
end
renew(ARGV[2], unpack(KEYS))
local mark = redis.call('HMGET', epoch, 'rebuilt_until', 'rebuilt_down_to')
return {known[1], now - known[4], known[5], now, term, known[7] or '', mark[1] or '', mark[2] or ''}
)");

/// KEYS epoch; ARGV id. The epoch is whole, if it is still this one.
inline const redis::Script kSetWhole(kAllowOom + kBasics + R"(
if not in_epoch(KEYS[1], ARGV[1]) then return 0 end
return redis.call('HSET', KEYS[1], 'whole', '1')
)");

/// KEYS epoch; ARGV id, until, down to (ms). How far the queue is rebuilt, if the epoch is still
/// this one.
inline const redis::Script kSetRebuilt(kAllowOom + kBasics + R"(
if not in_epoch(KEYS[1], ARGV[1]) then return 0 end
return redis.call('HSET', KEYS[1], 'rebuilt_until', ARGV[2], 'rebuilt_down_to', ARGV[3])
)");

/// KEYS inflight, users, epoch, nodes; ARGV node, term, id of the epoch, ms that an epoch is young,
/// then id, member for each item. Enters leases of an older epoch: 1. 0 if it may not any more: the
/// node does not live in this term, or the epoch is not young, so that others may have been given
/// what it wants to enter.
inline const redis::Script kClaim(kAllowOom + kPrelude + R"(
if not in_epoch(KEYS[3], ARGV[3]) then return 0 end
if not may_act(KEYS[3], KEYS[4], ARGV[1], ARGV[2]) then return 0 end
if now_ms() >= redis.call('HGET', KEYS[3], 'since') + ARGV[4] then return 0 end
local items = {}
for i = 5, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    items[#items + 1] = ARGV[i + 1]
  end
end
if #items > 0 then hold(KEYS[2], KEYS[4], items, ARGV[1], true) end
return 1
)");

/// KEYS queue, suspect, old, epoch, ids, nodes; ARGV ttl, count, id of the epoch. Moves up to count
/// items of older epochs back into the queue as suspects, unless they are leased. Returns how many
/// it looked at and how many it moved; of the latter -1 in another epoch.
inline const redis::Script kSalvage(kAllowOom + kStanding + R"(
if not in_epoch(KEYS[4], ARGV[3]) then return {0, -1} end
local items = redis.call('ZRANGE', KEYS[3], 0, ARGV[2] - 1, 'WITHSCORES')
local ids, members = {}, {}
for i = 1, #items, 2 do
  ids[#ids + 1] = id_of(items[i])
  members[#members + 1] = items[i]
end
if #ids == 0 then return {0, 0} end
local held = leased(KEYS[1], KEYS[6], ids)
local moved = 0
for i, id in ipairs(ids) do
  if not held[id] then
    redis.call('SADD', KEYS[2], id)
    if redis.call('SADD', KEYS[5], id) == 1 then
      redis.call('ZADD', KEYS[1], items[2 * i], members[i])
    end
    moved = moved + 1
  end
end
redis.call('ZREM', KEYS[3], unpack(members))
if moved > 0 then renew(ARGV[1], KEYS[1], KEYS[2], KEYS[5]) end
return {#ids, moved}
)");

/// KEYS maintainer; ARGV node, ttl in ms. Elects this node, or keeps it elected; 1 if it is.
inline const redis::Script kLead(kAllowOom + R"(
local elected = redis.call('GET', KEYS[1])
if elected and elected ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)");

/// KEYS maintainer; ARGV node. Leaves the office to the others; 0.
inline const redis::Script kStandDown(kAllowOom + R"(
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
)");

/// KEYS swept. Up to when (ms), or nil.
inline const redis::Script kGetSwept("return redis.call('GET', KEYS[1])");

/// KEYS swept; ARGV until (ms), ttl.
inline const redis::Script kSetSwept(kAllowOom + R"(
return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
)");

/// KEYS nodes of people's register; ARGV node, now, the oldest to keep (ms).
inline const redis::Script kRegister(kAllowOom + R"(
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
)");

}  // namespace notify::stores::scripts
