#pragma once
// The queue's scripts. Each works on the keys of one priority, which share a slot, and moves items
// between queue and leases in one atomic step. The keys are described in redis_queue.hpp.

#include "rules/codec.hpp"
#include "storage/redis/script.hpp"

namespace notify::stores::scripts {

/// KEYS queue, inflight, suspect; ARGV highest score, count. Moves what is due to the node's leases
/// and returns member, "1" if suspect, member, ... The id stands at a fixed place in a member, see
/// rules/codec.hpp (Lua counts from 1).
inline const redis::Script kLease(R"(
local items = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local out = {}
for _, item in ipairs(items) do
  local id = string.sub(item, 14, 49)
  redis.call('ZREM', KEYS[1], item)
  redis.call('HSET', KEYS[2], id, item)
  out[#out + 1] = item
  out[#out + 1] = tostring(redis.call('SISMEMBER', KEYS[3], id))
end
return out
)");
static_assert(rules::kQueueItemIdOffset == 13);

/// KEYS inflight, suspect; ARGV ids. Gives leases up. Only who still holds a lease may say that the
/// item is no suspect any more: after a takeover it is another node's.
inline const redis::Script kAck(R"(
for _, id in ipairs(ARGV) do
  if redis.call('HDEL', KEYS[1], id) == 1 then redis.call('SREM', KEYS[2], id) end
end
return #ARGV
)");

/// KEYS queue, inflight, suspect; ARGV id, score, ttl. Back into the queue, as a suspect.
inline const redis::Script kPostpone(R"(
local item = redis.call('HGET', KEYS[2], ARGV[1])
if not item then return 0 end
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], item)
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[3], ARGV[3])
return 1
)");

/// KEYS queue, inflight of the dead, suspect; ARGV score, ttl, count. Moves up to count leases back
/// and returns how many.
inline const redis::Script kTakeOver(R"(
local pairs_ = redis.call('HRANDFIELD', KEYS[2], ARGV[3], 'WITHVALUES')
for i = 1, #pairs_, 2 do
  redis.call('SADD', KEYS[3], pairs_[i])
  redis.call('ZADD', KEYS[1], 'NX', ARGV[1], pairs_[i + 1])
  redis.call('HDEL', KEYS[2], pairs_[i])
end
if #pairs_ > 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
return #pairs_ / 2
)");

/// KEYS queue, suspect, inflight of every node; ARGV ttl, then id, score, member for each item.
/// Puts in what is neither queued nor leased, as a suspect; returns how many.
inline const redis::Script kReadmit(R"(
local added = 0
for i = 2, #ARGV, 3 do
  local leased = false
  for k = 3, #KEYS do
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

}  // namespace notify::stores::scripts
