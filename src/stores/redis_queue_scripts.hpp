#pragma once
// The queue's scripts. Each works on the keys of one book, which share a slot, and moves items
// between queue and leases in one atomic step. The keys are described in redis_queue_keys.hpp.
//
// Whatever enters an inflight hash is held for its user, whatever leaves it is released: so the
// count in {q}:users is always that of the items leased.

#include "rules/codec.hpp"
#include "storage/redis/script.hpp"
#include "stores/queue.hpp"

namespace notify::stores::scripts {

/// An item's id, at its place in a member (Lua counts from 1).
inline const std::string kIdOf = "local function id_of(item) return string.sub(item, 14, 49) end\n";

/// Id and user stand at fixed places in a member, see rules/codec.hpp (Lua counts from 1). A call
/// of Redis costs more than all that is done here with its answer, so each is for many items.
///   hold      those of the items that the node may have, and how many it may not: of users with
///             items at another node, or with as many as a user may have, since one user must not
///             fill a node. With `force`: whatever the count.
///   release   of items that have left the hash of leases.
///   put_back  moves a lease back into the queue as a suspect.
///   created   the score of the item's creation: before whatever its user got since.
inline const std::string kPrelude =
    kIdOf + "local user_leases_max = " + std::to_string(kUserLeasesMax) + R"(
local function user_of(item) return string.sub(item, 60, 95) end
local function holders(users, names)
  local held, who = redis.call('HMGET', users, unpack(names)), {}
  for i, name in ipairs(names) do
    if held[i] and not who[name] then
      local count, node = string.match(held[i], '^(%d+):(.*)$')
      who[name] = {count = tonumber(count), node = node}
    end
  end
  return who
end
local function write_down(users, who)
  local set, gone = {}, {}
  for name, holder in pairs(who) do
    if holder.count > 0 then
      set[#set + 1] = name
      set[#set + 1] = holder.count .. ':' .. holder.node
    else
      gone[#gone + 1] = name
    end
  end
  if #set > 0 then redis.call('HSET', users, unpack(set)) end
  if #gone > 0 then redis.call('HDEL', users, unpack(gone)) end
end
local function users_of(items)
  local names = {}
  for i, item in ipairs(items) do names[i] = user_of(item) end
  return names
end
local function hold(users, items, node, force)
  local names = users_of(items)
  local who, mine, ours, passed = holders(users, names), {}, {}, 0
  for i, item in ipairs(items) do
    local name = names[i]
    local holder = who[name]
    if not holder then
      holder = {count = 0, node = node}
      who[name] = holder
    end
    if force or (holder.node == node and holder.count < user_leases_max) then
      holder.count, holder.node = holder.count + 1, node
      mine[#mine + 1] = item
      ours[name] = holder
    else
      passed = passed + 1
    end
  end
  write_down(users, ours)
  return mine, passed
end
local function release(users, items)
  if #items == 0 then return end
  local names = users_of(items)
  local who = holders(users, names)
  for _, name in ipairs(names) do
    if who[name] then who[name].count = who[name].count - 1 end
  end
  write_down(users, who)
end
local function put_back(queue, inflight, suspect, users, id, item, score)
  redis.call('SADD', suspect, id)
  redis.call('ZADD', queue, 'NX', score, item)
  redis.call('HDEL', inflight, id)
  release(users, {item})
end
local function created(item, priority)
  local ms = tonumber(string.sub(item, 14, 21) .. string.sub(item, 23, 26), 16)
  return (ms or 0) * 4 + priority
end
)";
static_assert(rules::kQueueItemIdOffset == 13 && rules::kQueueItemUserOffset == 59);

/// KEYS queue, epoch, suspect; ARGV the last moment for it (ms, by the server's clock), ttl,
/// priority, then score or "", and member, for each item. Puts new items in, unless it is too late;
/// without a score, due now. 1 if it did. What may be older than the epoch goes in as a suspect:
/// what was said of it before is lost.
inline const redis::Script kEnqueue(kIdOf + "local recover_after = " +
                                    std::to_string(kRecoverAfter.count()) + R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(ARGV[1]) then return 0 end
local due_now = string.format('%d', now * 4 + ARGV[3])
local items = {}
for i = 4, #ARGV, 2 do
  items[#items + 1] = ARGV[i] == '' and due_now or ARGV[i]
  items[#items + 1] = ARGV[i + 1]
end
local since = redis.call('HGET', KEYS[2], 'since')
if not since or tonumber(ARGV[1]) < since + recover_after then
  local ids = {}
  for i = 2, #items, 2 do ids[#ids + 1] = id_of(items[i]) end
  redis.call('SADD', KEYS[3], unpack(ids))
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
redis.call('ZADD', KEYS[1], 'NX', unpack(items))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
)");

/// KEYS queue, inflight, suspect, users; ARGV count, node. Moves what is due, by the server's
/// clock, to the node's leases and returns how many ms what is next has been due, or "", then
/// member, "1" if suspect, member, ... Items of users whom another node serves are passed over, up
/// to a thousand.
inline const redis::Script kLease(kPrelude + R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local highest = string.format('%d', now * 4 + 3)
local out, passed, left = {''}, 0, tonumber(ARGV[1])
while left > 0 and passed < 1000 do
  local items = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', highest, 'LIMIT', passed, left)
  if #items == 0 then break end
  local mine, others = hold(KEYS[4], items, ARGV[2])
  if #mine > 0 then
    local ids, leases = {}, {}
    for i, item in ipairs(mine) do
      ids[i] = id_of(item)
      leases[2 * i - 1], leases[2 * i] = ids[i], item
    end
    if others == 0 then
      redis.call('ZREMRANGEBYRANK', KEYS[1], passed, passed + #mine - 1)
    else
      redis.call('ZREM', KEYS[1], unpack(mine))
    end
    redis.call('HSET', KEYS[2], unpack(leases))
    local suspect = redis.call('SMISMEMBER', KEYS[3], unpack(ids))
    for i, item in ipairs(mine) do
      out[#out + 1] = item
      out[#out + 1] = tostring(suspect[i])
    end
  end
  passed, left = passed + others, left - #mine
end
if left == 0 then
  local rest =
    redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', highest, 'WITHSCORES', 'LIMIT', passed, 1)
  if #rest > 0 then out[1] = tostring(now - math.floor(rest[2] / 4)) end
end
return out
)");

/// KEYS inflight, suspect, users, queue; ARGV ids. Gives leases up. Only who still holds a lease
/// may say that the item is no suspect any more: after a takeover it is another node's. Nor is it
/// when it is queued again, by who had it in an older epoch.
inline const redis::Script kAck(kPrelude + R"(
local held = redis.call('HMGET', KEYS[1], unpack(ARGV))
local ids, items = {}, {}
for i, id in ipairs(ARGV) do
  if held[i] then
    ids[#ids + 1] = id
    items[#items + 1] = held[i]
  end
end
if #ids == 0 then return 0 end
redis.call('HDEL', KEYS[1], unpack(ids))
if redis.call('SREM', KEYS[2], unpack(ids)) > 0 then
  for i, id in ipairs(ids) do
    if redis.call('ZSCORE', KEYS[4], items[i]) then redis.call('SADD', KEYS[2], id) end
  end
end
release(KEYS[3], items)
return #ids
)");

/// KEYS queue, inflight, suspect, users; ARGV id, score or "", priority, ttl. Back into the queue,
/// as a suspect; without a score, due since it was created.
inline const redis::Script kPostpone(kPrelude + R"(
local item = redis.call('HGET', KEYS[2], ARGV[1])
if not item then return 0 end
local score = ARGV[2]
if score == '' then score = created(item, ARGV[3]) end
put_back(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], item, score)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[3], ARGV[4])
return 1
)");

/// KEYS queue, inflight of the dead, suspect, users; ARGV priority, ttl, count. Moves up to count
/// leases back and returns how many.
inline const redis::Script kTakeOver(kPrelude + R"(
local pairs_ = redis.call('HRANDFIELD', KEYS[2], ARGV[3], 'WITHVALUES')
for i = 1, #pairs_, 2 do
  local item = pairs_[i + 1]
  put_back(KEYS[1], KEYS[2], KEYS[3], KEYS[4], pairs_[i], item, created(item, ARGV[1]))
end
if #pairs_ > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
return #pairs_ / 2
)");

/// KEYS queue, suspect, epoch, inflight of every node; ARGV ttl, id of the epoch, then id, score,
/// member for each item. Puts in what is neither queued nor leased, as a suspect; returns how many,
/// or -1 in another epoch: its books may lack what is leased.
inline const redis::Script kReadmit(R"(
if redis.call('HGET', KEYS[3], 'id') ~= ARGV[2] then return -1 end
local added = 0
for i = 3, #ARGV, 3 do
  local leased = false
  for k = 4, #KEYS do
    if redis.call('HEXISTS', KEYS[k], ARGV[i]) == 1 then leased = true end
  end
  if not leased and redis.call('ZADD', KEYS[1], 'NX', ARGV[i + 1], ARGV[i + 2]) == 1 then
    redis.call('SADD', KEYS[2], ARGV[i])
    added = added + 1
  end
end
if added > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return added
)");

/// KEYS queue, suspect, epoch, inflight of every node; ARGV ttl, id of the epoch, id, score or "",
/// member. Whoever leases it from now on gets it as a suspect: 0. With a score it is put in if it
/// is not queued: what comes later, and would not be a suspect, changes nothing then. 1 if it is
/// leased, -1 in another epoch.
inline const redis::Script kWithdraw(R"(
if redis.call('HGET', KEYS[3], 'id') ~= ARGV[2] then return -1 end
for k = 4, #KEYS do
  if redis.call('HEXISTS', KEYS[k], ARGV[3]) == 1 then return 1 end
end
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[1], 'NX', ARGV[4], ARGV[5])
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
if redis.call('ZSCORE', KEYS[1], ARGV[5]) then
  redis.call('SADD', KEYS[2], ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return 0
)");

/// KEYS epoch, queue, old; ARGV id for a new epoch, ttl. Begins one if the server is not the run of
/// it that the last one began in, or has none: what is queued may have been delivered since, and is
/// put aside. Returns id, age in ms, "1" if whole, and the server's time in ms.
inline const redis::Script kEpoch(R"(
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'id', 'run', 'since', 'whole')
if known[2] ~= run then
  known = {ARGV[1], run, now, ''}
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'run', run, 'since', now, 'whole', '')
  if redis.call('EXISTS', KEYS[2]) == 1 then
    if redis.call('RENAMENX', KEYS[2], KEYS[3]) == 0 then
      redis.call('ZUNIONSTORE', KEYS[3], 2, KEYS[3], KEYS[2], 'AGGREGATE', 'MIN')
      redis.call('DEL', KEYS[2])
    end
    redis.call('EXPIRE', KEYS[3], ARGV[2])
  end
end
return {known[1], now - known[3], known[4], now}
)");

/// KEYS epoch; ARGV id. The epoch is whole, if it is still this one.
inline const redis::Script kSetWhole(R"(
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[1], 'whole', '1')
)");

/// KEYS inflight, users; ARGV node, then id, member for each item. Enters leases of an older epoch.
inline const redis::Script kClaim(kPrelude + R"(
local items = {}
for i = 2, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    items[#items + 1] = ARGV[i + 1]
  end
end
if #items > 0 then hold(KEYS[2], items, ARGV[1], true) end
return (#ARGV - 1) / 2
)");

/// KEYS queue, suspect, old, epoch, inflight of every node; ARGV ttl, count, id of the epoch. Moves
/// up to count items of older epochs back into the queue as suspects, unless they are leased.
/// Returns how many it looked at and how many it moved; of the latter -1 in another epoch.
inline const redis::Script kSalvage(kPrelude + R"(
if redis.call('HGET', KEYS[4], 'id') ~= ARGV[3] then return {0, -1} end
local items = redis.call('ZRANGE', KEYS[3], 0, ARGV[2] - 1, 'WITHSCORES')
local moved = 0
for i = 1, #items, 2 do
  local item = items[i]
  local id = id_of(item)
  local leased = false
  for k = 5, #KEYS do
    if redis.call('HEXISTS', KEYS[k], id) == 1 then leased = true end
  end
  if not leased then
    redis.call('SADD', KEYS[2], id)
    redis.call('ZADD', KEYS[1], 'NX', items[i + 1], item)
    moved = moved + 1
  end
  redis.call('ZREM', KEYS[3], item)
end
if moved > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[1])
end
return {#items / 2, moved}
)");

/// KEYS maintainer; ARGV node, ttl in ms. Elects this node, or keeps it elected; 1 if it is.
inline const redis::Script kLead(R"(
local elected = redis.call('GET', KEYS[1])
if elected and elected ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)");

/// KEYS maintainer; ARGV node. Leaves the office to the others.
inline const redis::Script kStandDown(R"(
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
)");

}  // namespace notify::stores::scripts
