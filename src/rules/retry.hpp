#pragma once
// When to try again (SPEC §7): 30 s, 1 min, 5 min, 15 min, 1 h, each jittered; at most five times,
// at most 24 hours, never after the notification's own expiry; a provider's Retry-After wins.

#include <chrono>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "rules/outcome.hpp"

namespace notify::rules {

struct RetryPolicy {
  std::vector<std::chrono::milliseconds> delays = {
      std::chrono::seconds(30), std::chrono::minutes(1), std::chrono::minutes(5),
      std::chrono::minutes(15), std::chrono::hours(1)};  ///< one for each retry allowed
  std::chrono::hours age_max{24};
};

struct RetryInput {
  std::int32_t retries_made = 0;
  base::WallTime now;
  base::WallTime begun_at;  ///< when it was accepted, or last replayed
  base::WallTime expires_at;
  std::optional<std::chrono::seconds> retry_after;
  std::chrono::seconds retry_min{0};  ///< of Outcome: a shorter delay of the policy becomes this
};

/// The instant of the next try, or nullopt if there is none. Jitter is up to a fifth on top, so
/// that what failed together does not come back together, and nothing comes before its delay.
[[nodiscard]] std::optional<base::WallTime> plan_retry(const RetryPolicy& policy,
                                                       const RetryInput& input, base::Rng& rng);

/// The wait before a provider that could not be reached is asked again: a quarter of `outage`, for
/// which that has been so. It is from 5 seconds to 2 minutes, with up to a fifth on top.
[[nodiscard]] std::chrono::milliseconds plan_parking(std::chrono::nanoseconds outage,
                                                     base::Rng& rng);

}  // namespace notify::rules
