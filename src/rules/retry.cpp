#include "rules/retry.hpp"

namespace notify::rules {

std::optional<base::WallTime> plan_retry(const RetryPolicy& policy, const RetryInput& input,
                                         base::Rng& rng) {
  const auto made = static_cast<std::size_t>(input.retries_made);
  if (made >= policy.delays.size()) return std::nullopt;
  const std::chrono::milliseconds delay =
      input.retry_after ? *input.retry_after : policy.delays[made];
  const auto jitter_max = static_cast<std::uint32_t>(delay.count() / 5 + 1);
  const base::WallTime next = input.now + delay + std::chrono::milliseconds(rng.below(jitter_max));
  const bool too_old = next > input.begun_at + policy.age_max;
  if (too_old || next >= input.expires_at) return std::nullopt;
  return next;
}

}  // namespace notify::rules
