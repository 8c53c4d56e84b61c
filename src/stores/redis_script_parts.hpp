#pragma once
// The parts of the queue's scripts. Each script works on the keys of one book, which share a
// slot, and moves items between queue and leases in one atomic step. The keys are described in
// redis_queue_keys.hpp.
//
// These hold after every script:
//   - An item is known by its id. `ids` has the id of each item that is queued, set aside, or
//     readable by a newer version only; no id is there twice.
//   - The count in `users` is that of the items leased.
//   - A node's leases are moved only after its time in `nodes` has run out. A node leases and
//     claims only with the term that stands there. Both are checked in the script that moves.
//
// A script that drains the queue or keeps a node alive may run at Redis' memory limit (allow-oom,
// Redis 7): else a full Redis could never become less full.

#include <string>

#include "rules/codec.hpp"
#include "stores/queue.hpp"

namespace notify::stores::scripts {

inline const std::string kAllowOom = "#!lua flags=allow-oom\n";

/// id_of: an item's id, at its place in a member (Lua counts from 1).
///
/// now_ms: the server's clock.
///
/// replid: changes when the server is demoted or promoted; run_id changes when it restarts.
///
/// in_epoch: whether the epoch is this one, and the server still the one in which it began.
inline const std::string kBasics = R"(
local function id_of(item) return string.sub(item, 14, 49) end
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function server(section, field)
  return string.match(redis.call('INFO', section), field .. ':(%w+)')
end
local function replid() return server('replication', 'master_replid') end
local function in_epoch(epoch, id)
  local known = redis.call('HMGET', epoch, 'id', 'replid')
  return known[1] == id and known[2] == replid()
end
local function term_of(entry)
  if not entry then return nil, 0 end
  local term, till = string.match(entry, '^(%d+):(%d+)$')
  return term, tonumber(till)
end
)";

/// may_act: whether the node lives, in this term, on the server in which its epoch began.
///
/// leased: which of these ids any node has leased.
///
/// renew: the lifetime of keys.
inline const std::string kStanding = kBasics + R"(
local function may_act(epoch, nodes, node, term)
  local mine, till = term_of(redis.call('HGET', nodes, node))
  return mine == term and now_ms() < till and redis.call('HGET', epoch, 'replid') == replid()
end
local function inflight_of(queue, node) return '{' .. queue .. '}:inflight:' .. node end
local function leased(queue, nodes, ids)
  local held = {}
  for _, node in ipairs(redis.call('HKEYS', nodes)) do
    local inflight = inflight_of(queue, node)
    if redis.call('EXISTS', inflight) == 1 then
      for i, item in ipairs(redis.call('HMGET', inflight, unpack(ids))) do
        if item then held[ids[i]] = true end
      end
    end
  end
  return held
end
local function renew(ttl, ...)
  for _, key in ipairs({...}) do redis.call('EXPIRE', key, ttl) end
end
)";

/// Id and user stand at fixed places in a member, see rules/codec.hpp (Lua counts from 1). A call
/// of Redis costs more than all work on its answer, so each is for many items.
///
/// hold: those of the items that the node may have, and the others. The others are of users with
/// items at another node, or with as many as a user may have: one user must not fill a node. With
/// `force` the node has all of them. An entry of a node that is gone holds nobody.
///
/// release: these items have left the hash of leases.
///
/// put_back: moves a lease back into the queue as a suspect, unless its id is queued.
///
/// created: the score of the item's creation, before all that its user got since.
inline const std::string kPrelude =
    kStanding + "local user_leases_max = " + std::to_string(kUserLeasesMax) + R"(
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
local function free_of_the_gone(who, nodes, node)
  local lives = {[node] = true}
  for name, holder in pairs(who) do
    if lives[holder.node] == nil then
      lives[holder.node] = redis.call('HEXISTS', nodes, holder.node) == 1
    end
    if not lives[holder.node] then who[name] = nil end
  end
end
local function hold(users, nodes, items, node, force, is_behind)
  local names = users_of(items)
  local who, mine, ours, others = holders(users, names), {}, {}, {}
  free_of_the_gone(who, nodes, node)
  for i, item in ipairs(items) do
    local name = names[i]
    local holder = who[name]
    if not holder then
      holder = {count = 0, node = node}
      who[name] = holder
    end
    local may_have = holder.node == node and holder.count < user_leases_max
    if force or (may_have and not (is_behind and is_behind(name, item))) then
      holder.count, holder.node = holder.count + 1, node
      mine[#mine + 1] = item
      ours[name] = holder
    else
      others[#others + 1] = item
    end
  end
  write_down(users, ours)
  return mine, others
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
local function put_back(queue, inflight, suspect, users, ids, id, item, score)
  redis.call('SADD', suspect, id)
  if redis.call('SADD', ids, id) == 1 then redis.call('ZADD', queue, score, item) end
  redis.call('HDEL', inflight, id)
  release(users, {item})
end
local function created(item, priority)
  local ms = tonumber(string.sub(item, 14, 21) .. string.sub(item, 23, 26), 16)
  return (ms or 0) * 4 + priority
end
)";
static_assert(rules::kQueueItemIdOffset == 13 && rules::kQueueItemUserOffset == 59);
static_assert(rules::kQueueItemVersionOffset == 5);

}  // namespace notify::stores::scripts
