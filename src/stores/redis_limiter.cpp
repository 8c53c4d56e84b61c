#include "stores/redis_limiter.hpp"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "stores/redis_limiter_scripts.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using std::chrono::milliseconds;

std::string key_of(const rules::LimitCounter& counter) { return "ratelimit:" + counter.name; }

/// What kTake is called with: each counter once, however many operations it has.
class Call {
 public:
  explicit Call(const std::vector<LimitClaim>& claims) {
    for (const LimitClaim& claim : claims) {
      claims_ += static_cast<char>(claim.size());
      for (const rules::LimitCounter& counter : claim) {
        const std::size_t key = place_of(counter);
        claims_ += static_cast<char>(key >> 8U);
        claims_ += static_cast<char>(key & 0xffU);
      }
    }
  }

  [[nodiscard]] std::vector<std::string> take_keys() { return std::move(keys_); }
  [[nodiscard]] std::vector<std::string> arguments() {
    std::vector<std::string> arguments{std::move(claims_), std::move(plans_)};
    for (const auto& [allowed, window] : kinds_) {
      arguments.push_back(std::to_string(allowed));
      arguments.push_back(std::to_string(window.count()));
    }
    return arguments;
  }

 private:
  /// Lua counts from 1.
  std::size_t place_of(const rules::LimitCounter& counter) {
    const auto [found, is_new] = places_.try_emplace(counter.name, keys_.size() + 1);
    if (is_new) {
      keys_.push_back(key_of(counter));
      plans_ += static_cast<char>(plan_of(counter));
    }
    return found->second;
  }
  std::size_t plan_of(const rules::LimitCounter& counter) {
    const std::pair kind(counter.allowed, counter.window);
    const auto found = std::find(kinds_.begin(), kinds_.end(), kind);
    const auto place = static_cast<std::size_t>(found - kinds_.begin());
    if (found == kinds_.end()) kinds_.push_back(kind);
    return place + 1;
  }

  absl::flat_hash_map<std::string_view, std::size_t> places_;  // of names in the claims
  std::vector<std::string> keys_;
  std::vector<std::pair<std::int64_t, milliseconds>> kinds_;
  std::string plans_;
  std::string claims_;
};

/// Reads the flat answer of kTake from its front.
class Answer {
 public:
  explicit Answer(const redis::Reply& reply) : numbers_(reply.elements()) {}

  std::int64_t next() {
    if (at_ >= numbers_.size()) {
      is_odd_ = true;
      return 0;
    }
    const auto number = numbers_[at_++].as_integer();
    if (!number) is_odd_ = true;
    return number.value_or(0);
  }
  [[nodiscard]] bool is_whole() const { return !is_odd_ && at_ == numbers_.size(); }

 private:
  const std::vector<redis::Reply>& numbers_;
  std::size_t at_ = 0;
  bool is_odd_ = false;
};

/// Of GET and PTTL. What is not there, or is no number, stands at zero.
LimitStanding standing_of(const redis::Reply& value, const redis::Reply& left,
                          milliseconds window) {
  LimitStanding standing{0, window};
  if (const auto text = value.as_text()) {
    std::from_chars(text->data(), text->data() + text->size(), standing.counted);
  }
  if (const auto ms = left.as_integer(); ms && *ms >= 0) standing.resets_in = milliseconds(*ms);
  return standing;
}

base::Error not_connected() { return {Errc::unavailable, "no connection to Redis"}; }

}  // namespace

RedisLimiter::RedisLimiter(redis::Client& redis, async::Timers& timers, Options options,
                           const async::OnEscape& on_escape)
    : redis_(redis),
      timers_(timers),
      options_(options),
      takes_(timers,
             {.batch_max = options.batch_max,
              .flights_max = 4,
              .waiting_max = options.waiting_max,
              .interval = options.batch_interval},
             on_escape,
             [this](std::vector<LimitClaim> batch) { return take_batch(std::move(batch)); }) {}

async::Task<RedisLimiter::Results> RedisLimiter::take_batch(std::vector<LimitClaim> batch) {
  const auto all_fail = [&batch](const base::Error& error) {
    return Results(batch.size(), Expected<LimitTaken>(fail(error)));
  };
  if (redis_.connected() == 0) co_return all_fail(not_connected());
  Call call(batch);
  auto keys = call.take_keys();
  const auto reply = co_await redis_.run(scripts::kTake, std::move(keys), call.arguments(),
                                         timers_.after(options_.timeout));
  if (!reply) co_return all_fail(reply.error());
  Answer answer(*reply);
  const milliseconds counted_at(answer.next());
  Results results;
  results.reserve(batch.size());
  for (const LimitClaim& claim : batch) {
    LimitTaken taken;
    taken.counted_at = counted_at;
    if (const auto reached = static_cast<std::size_t>(answer.next()); reached > 0) {
      taken.reached = std::min(reached, claim.size()) - 1;
      taken.counted = answer.next();
      taken.resets_in = milliseconds(answer.next());
    }
    results.emplace_back(taken);
  }
  if (!answer.is_whole()) co_return all_fail({Errc::corrupt, "limits have an odd answer"});
  co_return results;
}

async::Task<Expected<void>> RedisLimiter::give_back(std::vector<LimitReturn> returns) {
  if (redis_.connected() == 0) co_return fail(not_connected());
  for (std::size_t first = 0; first < returns.size(); first += options_.batch_max) {
    std::vector<std::string> keys;
    std::vector<std::string> arguments;
    const std::size_t last = std::min(first + options_.batch_max, returns.size());
    for (std::size_t i = first; i < last; ++i) {
      for (const rules::LimitCounter& counter : returns[i].claim) {
        keys.push_back(key_of(counter));
        arguments.push_back(std::to_string(returns[i].counted_at.count()));
        arguments.push_back(std::to_string(counter.window.count()));
      }
    }
    const auto done = co_await redis_.run(scripts::kGiveBack, std::move(keys), std::move(arguments),
                                          timers_.after(options_.timeout));
    if (!done) co_return fail(done.error());
  }
  co_return Expected<void>();
}

async::Task<Expected<std::vector<LimitStanding>>> RedisLimiter::look(LimitClaim claim) {
  if (claim.empty()) co_return std::vector<LimitStanding>();
  if (redis_.connected() == 0) co_return fail(not_connected());
  std::vector<redis::Command> commands;
  for (const rules::LimitCounter& counter : claim) {
    commands.push_back(std::move(redis::Command("GET").key(key_of(counter))));
    commands.push_back(std::move(redis::Command("PTTL").key(key_of(counter))));
  }
  const auto replies =
      co_await redis_.pipeline(std::move(commands), timers_.after(options_.timeout));
  if (!replies) co_return fail(replies.error());
  std::vector<LimitStanding> standings;
  for (std::size_t i = 0; i < claim.size(); ++i) {
    standings.push_back(standing_of((*replies)[2 * i], (*replies)[2 * i + 1], claim[i].window));
  }
  co_return standings;
}

}  // namespace notify::stores
