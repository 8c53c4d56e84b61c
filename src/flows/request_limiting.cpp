#include "flows/request_limiting.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {
namespace {

using std::chrono::milliseconds;

/// `rest_user.1m`: what users do is not what is done to them, and has counters of its own.
std::string name_of(const RequestLimit& limit) {
  const char* subject = limit.of == RequestLimit::Of::user ? "rest_user." : "rest_ip.";
  return subject + std::string(rules::name(limit.window));
}

}  // namespace

struct RequestLimiting::Claim {
  stores::LimitClaim counters;
  std::vector<std::string> limits;    // their names
  std::vector<std::string> subjects;  // `user:<id>`
};

RequestLimiting::Claim RequestLimiting::claim_of(const std::optional<base::UserId>& user,
                                                 const std::string& ip) const {
  Claim claim;
  for (const RequestLimit& limit : parts_.limits) {
    const bool of_user = limit.of == RequestLimit::Of::user;
    const std::string id = !of_user ? ip : user ? user->to_string() : "";
    if (id.empty()) continue;
    claim.limits.push_back(name_of(limit));
    claim.subjects.push_back((of_user ? "user:" : "ip:") + id);
    claim.counters.push_back({claim.limits.back() + ":" + rules::tagged(id), limit.allowed,
                              rules::length(limit.window), 0});
  }
  return claim;
}

/// Takes, and looks how the counters stand then.
/// Lifetime: `standings` is in the caller's frame.
async::Task<base::Expected<stores::LimitTaken>> RequestLimiting::ask(
    stores::LimitClaim claim, std::vector<stores::LimitStanding>& standings) {
  std::vector<stores::LimitClaim> alone{claim};
  auto taken = co_await parts_.limiter.take(std::move(alone));
  if (!taken.front() || taken.front()->reached) co_return std::move(taken.front());
  auto looked = co_await parts_.limiter.look(std::move(claim));
  if (!looked) co_return base::fail(std::move(looked).error());
  standings = std::move(*looked);
  co_return std::move(taken.front());
}

async::Task<std::optional<RequestStanding>> RequestLimiting::take(std::optional<base::UserId> user,
                                                                  std::string ip) {
  const Claim claim = claim_of(user, ip);
  if (claim.counters.empty()) co_return std::nullopt;
  std::vector<stores::LimitStanding> standings;
  base::Expected<stores::LimitTaken> taken =
      base::fail(base::Errc::unavailable, "Redis was away just now");
  if (parts_.timers.clock().steady_now() >= here_until_) {
    taken = co_await ask(claim.counters, standings);
    if (!taken) {
      here_until_ = parts_.timers.clock().steady_now() + parts_.pause;
      parts_.step_failed("take", taken.error());
    }
  }
  if (!taken) {
    taken = here_.take(claim.counters, steady_now());
    standings = here_.look(claim.counters, steady_now());
  }
  RequestStanding standing;
  if (taken->reached) {
    const std::size_t which = *taken->reached;
    standing = {claim.counters[which].allowed, 0, taken->resets_in, std::nullopt};
    Limiting::Outcome over;
    over.reached = {claim.limits[which], standing.allowed, taken->counted,
                    parts_.timers.clock().now() + taken->resets_in, claim.subjects[which]};
    over.retry_after = taken->resets_in;
    standing.refusal = refuse_over_limit(over);
    parts_.reached(claim.limits[which]);
    co_return standing;
  }
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const std::int64_t allowed = claim.counters[i].allowed;
    const std::int64_t left = std::max<std::int64_t>(allowed - standings[i].counted, 0);
    if (i == 0 || left < standing.left) standing = {allowed, left, standings[i].resets_in, {}};
  }
  co_return standing;
}

milliseconds RequestLimiting::steady_now() const {
  return std::chrono::floor<milliseconds>(parts_.timers.clock().steady_now().time_since_epoch());
}

}  // namespace notify::flows
