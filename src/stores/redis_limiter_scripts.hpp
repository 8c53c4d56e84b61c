#pragma once
// The scripts of the rate limits' counters.
//
// In a cluster the counters of one operation are in several slots, and a script sees one slot: then
// kTake runs for each slot on the counters that are there, and whatever an operation has taken in
// some slots while another refused it is given back by kGiveBack. For a moment that counts too
// much, never too little.

#include "storage/redis/script.hpp"

namespace notify::stores::scripts {

/// KEYS counters, each once; ARGV claims, plans, and for each plan: allowed, window in ms.
///   plans   a byte for each counter: its plan
///   claims  for each operation a byte, how many counters it has, and two bytes for each of them:
///           which
/// Returns the server's time in ms, and for each operation 0, or three numbers: the place among its
/// own of the counter that has no room, what that has counted, the ms until its window ends.
///
/// Whatever the number of operations, a counter is read once and written once: a call of Redis
/// costs more than all that is done here with its answer, and one with a number among its arguments
/// more than one without. A counter that stands at zero begins a new window. One without an end is
/// not ours and would stand in its user's way for ever: it gets an end.
inline const redis::Script kTake(R"(
local call, byte = redis.call, string.byte
local claims, plans = ARGV[1], ARGV[2]
local allowed, window = {}, {}
for i = 3, #ARGV, 2 do
  allowed[#allowed + 1], window[#window + 1] = tonumber(ARGV[i]), ARGV[i + 1]
end
local counted, added, ends = {}, {}, {}
for first = 1, #KEYS, 1000 do
  for i, value in ipairs(call('MGET', unpack(KEYS, first, math.min(first + 999, #KEYS)))) do
    counted[first + i - 1] = tonumber(value or '') or 0
  end
end
local function ends_in(key)
  if not ends[key] then
    local left = call('PTTL', KEYS[key])
    if left == -1 then call('PEXPIRE', KEYS[key], window[byte(plans, key)]) end
    ends[key] = left < 0 and tonumber(window[byte(plans, key)]) or left
  end
  return ends[key]
end
local answer, at = {0}, 1
while at <= #claims do
  local size, keys, reached, wait = byte(claims, at), {}, 0, -1
  for place = 1, size do
    local high, low = byte(claims, at + 2 * place - 1, at + 2 * place)
    local key = high * 256 + low
    keys[place] = key
    if counted[key] + (added[key] or 0) >= allowed[byte(plans, key)] and ends_in(key) > wait then
      reached, wait = place, ends_in(key)
    end
  end
  at = at + 1 + 2 * size
  answer[#answer + 1] = reached
  if reached == 0 then
    for place = 1, size do added[keys[place]] = (added[keys[place]] or 0) + 1 end
  else
    local key = keys[reached]
    answer[#answer + 1], answer[#answer + 2] = counted[key] + (added[key] or 0), wait
  end
end
for key, count in pairs(added) do
  if counted[key] == 0 then
    call('SET', KEYS[key], count, 'PX', window[byte(plans, key)])
  elseif count == 1 then
    call('INCR', KEYS[key])
  else
    call('INCRBY', KEYS[key], count)
  end
end
local time = call('TIME')
answer[1] = time[1] * 1000 + math.floor(time[2] / 1000)
return answer
)");

/// KEYS counters; ARGV for each: the server's time when it counted, its window in ms. Takes one off
/// each, unless a new window has begun since.
inline const redis::Script kGiveBack(R"(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  local began = now + left - tonumber(ARGV[2 * i])
  if left > 0 and began <= tonumber(ARGV[2 * i - 1]) then redis.call('DECR', key) end
end
return #KEYS
)");

}  // namespace notify::stores::scripts
