#include "flows/limiting.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {

using std::chrono::milliseconds;

async::Task<std::vector<Limiting::Outcome>> Limiting::take(
    std::vector<const rules::Notification*> notifications, rules::LimitedCaller caller) {
  std::vector<stores::LimitClaim> claims;
  claims.reserve(notifications.size());
  for (const rules::Notification* n : notifications) {
    claims.push_back(parts_.policy.counters(*n, caller));
  }
  return take_all(std::move(claims));
}

async::Task<std::vector<Limiting::Outcome>> Limiting::take(std::vector<base::DeviceId> devices,
                                                           std::string type) {
  std::vector<stores::LimitClaim> claims;
  claims.reserve(devices.size());
  for (const base::DeviceId device : devices) {
    claims.push_back(parts_.policy.counters(device, type));
  }
  return take_all(std::move(claims));
}

/// Who has no counters is let through.
async::Task<std::vector<Limiting::Outcome>> Limiting::take_all(
    std::vector<stores::LimitClaim> all) {
  std::vector<Outcome> outcomes(all.size());
  std::vector<std::size_t> places;
  std::vector<stores::LimitClaim> claims;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].empty()) continue;
    places.push_back(i);
    claims.push_back(std::move(all[i]));
  }
  if (claims.empty()) co_return outcomes;
  const Taken taken = co_await ask(claims);
  std::size_t counted_here = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    outcomes[places[i]] = outcome(std::move(claims[i]), taken[i]);
    if (!taken[i]) ++counted_here;
  }
  if (counted_here > 0) parts_.events.counted_here(counted_here);
  co_return outcomes;
}

/// An error for each that has to be counted here.
async::Task<Limiting::Taken> Limiting::ask(std::vector<stores::LimitClaim> claims) {
  if (parts_.timers.clock().steady_now() < here_until_) {
    co_return Taken(claims.size(), base::fail(base::Errc::unavailable, "Redis was away just now"));
  }
  Taken taken = co_await parts_.limiter.take(std::move(claims));
  const auto lost = std::find_if(taken.begin(), taken.end(), [](const auto& one) { return !one; });
  if (lost != taken.end()) failed("take", lost->error());
  co_return taken;
}

Limiting::Outcome Limiting::outcome(stores::LimitClaim claim,
                                    const base::Expected<stores::LimitTaken>& asked) {
  Outcome outcome;
  outcome.counted_here = !asked;
  const stores::LimitTaken taken = asked ? *asked : here_.take(claim, steady_now());
  if (!taken.reached) {
    outcome.counted = {std::move(claim), taken.counted_at};
    return outcome;
  }
  const rules::LimitCounter& counter = claim[*taken.reached];
  outcome.reached =
      parts_.policy.reached(counter, taken.counted, parts_.timers.clock().now() + taken.resets_in);
  outcome.consequence = parts_.policy.consequence(counter);
  outcome.retry_after = taken.resets_in;
  parts_.events.reached(parts_.policy.all[counter.limit]);
  return outcome;
}

async::Task<void> Limiting::give_back(std::vector<Outcome> outcomes) {
  std::vector<stores::LimitReturn> returns;
  for (Outcome& outcome : outcomes) {
    if (outcome.counted.claim.empty()) continue;
    if (outcome.counted_here) {
      here_.give_back(outcome.counted, steady_now());
    } else {
      returns.push_back(std::move(outcome.counted));
    }
  }
  if (returns.empty()) co_return;
  const auto done = co_await parts_.limiter.give_back(std::move(returns));
  if (!done) failed("give_back", done.error());
}

void Limiting::failed(std::string_view step, const base::Error& error) {
  here_until_ = parts_.timers.clock().steady_now() + parts_.pause;
  parts_.events.step_failed(step, error);
}

milliseconds Limiting::steady_now() const {
  return std::chrono::floor<milliseconds>(parts_.timers.clock().steady_now().time_since_epoch());
}

Refusal refuse_over_limit(const Limiting::Outcome& outcome) {
  // A caller that comes back a moment too early is refused again.
  constexpr milliseconds kMargin{1};
  Refusal refusal;
  refusal.error = {base::Errc::overloaded, rules::describe(*outcome.reached)};
  refusal.retry_after = outcome.retry_after + kMargin;
  refusal.limit = outcome.reached;
  return refusal;
}

}  // namespace notify::flows
