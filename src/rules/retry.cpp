#include "rules/retry.hpp"

#include <algorithm>

namespace notify::rules {
namespace {

std::chrono::milliseconds jittered(std::chrono::milliseconds delay, base::Rng& rng) {
  const auto jitter_max = static_cast<std::uint32_t>(delay.count() / 5 + 1);
  return delay + std::chrono::milliseconds(rng.below(jitter_max));
}

}  // namespace

std::optional<base::WallTime> plan_retry(const RetryPolicy& policy, const RetryInput& input,
                                         base::Rng& rng) {
  const auto made = static_cast<std::size_t>(input.retries_made);
  if (made >= policy.delays.size()) return std::nullopt;
  // A wish for 0 seconds, or for a moment that has passed on our clock, is none: the tries would be
  // used up within a second.
  const bool has_wish = input.retry_after && input.retry_after->count() > 0;
  const std::chrono::milliseconds delay =
      has_wish ? *input.retry_after
               : std::max<std::chrono::milliseconds>(policy.delays[made], input.retry_min);
  const base::WallTime next = input.now + jittered(delay, rng);
  const bool too_old = next > input.begun_at + policy.age_max;
  if (too_old || next >= input.expires_at) return std::nullopt;
  return next;
}

std::chrono::milliseconds plan_parking(std::chrono::nanoseconds outage, base::Rng& rng) {
  using std::chrono::milliseconds;
  constexpr milliseconds kMin = std::chrono::seconds(5);
  constexpr milliseconds kMax = std::chrono::minutes(2);
  const auto quarter = std::chrono::duration_cast<milliseconds>(outage / 4);
  return jittered(std::clamp(quarter, kMin, kMax), rng);
}

}  // namespace notify::rules
