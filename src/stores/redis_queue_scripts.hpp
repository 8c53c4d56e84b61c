#pragma once
// The scripts of accept and deliver: into the queue, into leases, and out of them.

#include "storage/redis/script.hpp"
#include "stores/redis_script_parts.hpp"

namespace notify::stores::scripts {

/// KEYS queue, epoch, suspect, ids; ARGV the last moment for it (ms, by the server's clock), ttl,
/// priority, then score or "", and member, for each item. Puts new items in, unless it is too late;
/// without a score, due now. 1 if it did. What may be older than the epoch goes in as a suspect:
/// what was said of it before is lost.
inline const redis::Script kEnqueue(kBasics + "local recover_after = " +
                                    std::to_string(kRecoverAfter.count()) + R"(
local now = now_ms()
if now > tonumber(ARGV[1]) then return 0 end
local due_now = string.format('%d', now * 4 + ARGV[3])
local names = {}
for i = 5, #ARGV, 2 do names[#names + 1] = id_of(ARGV[i]) end
local is_known = redis.call('SMISMEMBER', KEYS[4], unpack(names))
local items, ids = {}, {}
for i, id in ipairs(names) do
  if is_known[i] == 0 then
    local score = ARGV[2 * i + 2]
    ids[#ids + 1] = id
    items[#items + 1] = score == '' and due_now or score
    items[#items + 1] = ARGV[2 * i + 3]
  end
end
local since = redis.call('HGET', KEYS[2], 'since')
if not since or tonumber(ARGV[1]) < since + recover_after then
  redis.call('SADD', KEYS[3], unpack(names))
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
if #ids > 0 then
  redis.call('SADD', KEYS[4], unpack(ids))
  redis.call('ZADD', KEYS[1], unpack(items))
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[4], ARGV[2])
return 1
)");

/// KEYS queue, inflight, suspect, users, epoch, nodes, ids, aside, unreadable; ARGV count, node,
/// term, ttl, version. Moves what is due, by the server's clock, to the node's leases and returns
/// how many ms what is next has been due, or "", then member, "1" if suspect, member, ... Returns
/// only "?" to a node that does not live in this term: it has to beat first.
///
/// Items of users who may not have more leased now are passed over. A flood of them must not hide
/// what is behind it: from 128 on they are set aside, each user's in order, and come back as soon
/// as their user may have more. Until then nothing of this user that is behind them is leased.
/// Items of a newer version are put where a node that can read them finds them.
inline const redis::Script kLease(kAllowOom + kPrelude + R"(
if not may_act(KEYS[5], KEYS[6], ARGV[2], ARGV[3]) then return {'?'} end
local queue, node, aside = KEYS[1], ARGV[2], KEYS[8]
local version = tonumber(ARGV[5])
local function list_of(name) return aside .. ':' .. name end
local first_aside = {}
local function is_behind(name, item)
  local first = first_aside[name]
  if first == nil then
    first = redis.call('ZRANGE', list_of(name), 0, 0, 'WITHSCORES')
    first_aside[name] = first
  end
  if #first == 0 then return false end
  local score, bound = tonumber(redis.call('ZSCORE', queue, item)), tonumber(first[2])
  return score > bound or (score == bound and item > first[1])
end
local some_aside = redis.call('EXISTS', aside) == 1
if some_aside then
  local names = redis.call('SRANDMEMBER', aside, 32)
  local who = holders(KEYS[4], names)
  free_of_the_gone(who, KEYS[6], node)
  for _, name in ipairs(names) do
    local holder, room = who[name], user_leases_max
    if holder then room = holder.node == node and room - holder.count or 0 end
    if room > 0 then
      local back = redis.call('ZPOPMIN', list_of(name), room)
      for i = 1, #back, 2 do redis.call('ZADD', queue, back[i + 1], back[i]) end
    end
    if redis.call('EXPIRE', list_of(name), ARGV[4]) == 0 then redis.call('SREM', aside, name) end
  end
end
local function set_aside(items)
  local scores = redis.call('ZMSCORE', queue, unpack(items))
  local lists = {}
  for i, item in ipairs(items) do
    local name = user_of(item)
    local list = lists[name] or {}
    lists[name] = list
    list[#list + 1] = scores[i]
    list[#list + 1] = item
  end
  for name, list in pairs(lists) do
    redis.call('ZADD', list_of(name), unpack(list))
    redis.call('EXPIRE', list_of(name), ARGV[4])
    redis.call('SADD', aside, name)
    first_aside[name] = nil
  end
  redis.call('EXPIRE', aside, ARGV[4])
  redis.call('ZREM', queue, unpack(items))
  some_aside = true
end
local function version_of(item)
  return string.sub(item, 1, 5) == '{"v":' and tonumber(string.sub(item, 6, 6)) or 0
end
local mark = '{"v":' .. version .. ','
local function leave_to_newer(items)
  local all_ours = true
  for _, item in ipairs(items) do all_ours = all_ours and string.sub(item, 1, #mark) == mark end
  if all_ours then return items, 0 end
  local readable, newer, scored = {}, {}, {}
  for _, item in ipairs(items) do
    if version_of(item) > version then
      newer[#newer + 1] = item
      scored[#scored + 1] = version
      scored[#scored + 1] = item
    else
      readable[#readable + 1] = item
    end
  end
  if #newer > 0 then
    redis.call('ZADD', KEYS[9], unpack(scored))
    redis.call('EXPIRE', KEYS[9], ARGV[4])
    redis.call('ZREM', queue, unpack(newer))
  end
  return readable, #newer
end
local highest = string.format('%d', now_ms() * 4 + 3)
local out, passed, looked, left = {''}, {}, 0, tonumber(ARGV[1])
while left > 0 and looked < 1000 do
  local items =
    redis.call('ZRANGEBYSCORE', queue, '-inf', highest, 'LIMIT', #passed, left)
  if #items == 0 then break end
  looked = looked + #items
  local newer
  items, newer = leave_to_newer(items)
  local mine, others = {}, {}
  if #items > 0 then
    mine, others = hold(KEYS[4], KEYS[6], items, node, false, some_aside and is_behind)
  end
  if #mine > 0 then
    local ids, leases = {}, {}
    for i, item in ipairs(mine) do
      ids[i] = id_of(item)
      leases[2 * i - 1], leases[2 * i] = ids[i], item
    end
    if #others == 0 and newer == 0 then
      redis.call('ZREMRANGEBYRANK', queue, #passed, #passed + #mine - 1)
    else
      redis.call('ZREM', queue, unpack(mine))
    end
    redis.call('SREM', KEYS[7], unpack(ids))
    if redis.call('HSET', KEYS[2], unpack(leases)) < #ids then
      -- One of them was leased already. Count anew, or its user would never be free again.
      local held = redis.call('HVALS', KEYS[2])
      local counts = {}
      for _, item in ipairs(held) do counts[user_of(item)] = {count = 0, node = node} end
      for _, item in ipairs(held) do
        local count = counts[user_of(item)]
        count.count = count.count + 1
      end
      write_down(KEYS[4], counts)
    end
    local suspect = redis.call('SMISMEMBER', KEYS[3], unpack(ids))
    for i, item in ipairs(mine) do
      out[#out + 1] = item
      out[#out + 1] = tostring(suspect[i])
    end
  end
  for _, item in ipairs(others) do passed[#passed + 1] = item end
  left = left - #mine
  if #passed >= 128 then
    set_aside(passed)
    passed = {}
  end
end
if left == 0 then
  local rest =
    redis.call('ZRANGEBYSCORE', queue, '-inf', highest, 'WITHSCORES', 'LIMIT', #passed, 1)
  if #rest > 0 then out[1] = tostring(now_ms() - math.floor(rest[2] / 4)) end
end
return out
)");

/// KEYS inflight, suspect, users, ids; ARGV ids. Gives leases up. Only the node that still holds a
/// lease may say that the item is no suspect any more: after a takeover it is another node's. Nor
/// is that said when the id is queued again, by a node that had it in an older epoch.
inline const redis::Script kAck(kAllowOom + kPrelude + R"(
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
  local is_queued = redis.call('SMISMEMBER', KEYS[4], unpack(ids))
  for i, id in ipairs(ids) do
    if is_queued[i] == 1 then redis.call('SADD', KEYS[2], id) end
  end
end
release(KEYS[3], items)
return #ids
)");

/// KEYS inflight, users, unreadable; ARGV the field under which it is leased, version, ttl. Puts an
/// item that cannot be read where a node of a newer version looks for it. Its id is free: the row
/// in PostgreSQL brings an item that can be read.
inline const redis::Script kPutAside(kAllowOom + kPrelude + R"(
local item = redis.call('HGET', KEYS[1], ARGV[1])
if not item then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[2], item)
redis.call('EXPIRE', KEYS[3], ARGV[3])
release(KEYS[2], {item})
return 1
)");

/// KEYS queue, inflight, suspect, users, ids; ARGV id, score or "", priority, ttl. Back into the
/// queue, as a suspect; without a score, due since it was created.
inline const redis::Script kPostpone(kAllowOom + kPrelude + R"(
local item = redis.call('HGET', KEYS[2], ARGV[1])
if not item then return 0 end
local score = ARGV[2]
if score == '' then score = created(item, ARGV[3]) end
put_back(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[1], item, score)
renew(ARGV[4], KEYS[1], KEYS[3], KEYS[5])
return 1
)");

}  // namespace notify::stores::scripts
