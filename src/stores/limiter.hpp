#pragma once
// The counters of rate limits. Redis is their home, so that all nodes count together; what they
// count is the business of rules/limits.hpp.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/async/task.hpp"
#include "base/expected.hpp"
#include "rules/limits.hpp"

namespace notify::stores {

/// One operation that needs room under each of these counters; it gets it under all, or none.
/// Limits: at most 100 counters, each with `allowed` of 1 or more.
using LimitClaim = std::vector<rules::LimitCounter>;

struct LimitTaken {
  /// The place in the claim of the counter that has no room, which makes the operation wait for
  /// longest if there are several; unset: it has been counted.
  std::optional<std::size_t> reached;
  std::int64_t counted = 0;                 ///< by that counter
  std::chrono::milliseconds resets_in{0};   ///< until that counter's window ends
  std::chrono::milliseconds counted_at{0};  ///< on the clock of who counts, for give_back()
};

/// What was counted, and will not take place.
struct LimitReturn {
  LimitClaim claim;
  std::chrono::milliseconds counted_at{0};
};

/// How a counter stands.
struct LimitStanding {
  std::int64_t counted = 0;
  std::chrono::milliseconds resets_in{0};  ///< of a counter that has not begun: its whole window
};

/// Threading: one executor.
class Limiter {
 public:
  virtual ~Limiter() = default;

  /// Counts each operation, in order, unless that would exceed a limit. Concurrent calls, of any
  /// node, never exceed one together. A counter's window begins with what it counts first. One
  /// result for each claim.
  /// Errors: unavailable, overloaded: not counted; timed_out: it may have been.
  [[nodiscard]] virtual async::Task<std::vector<base::Expected<LimitTaken>>> take(
      std::vector<LimitClaim> claims) = 0;

  /// Takes off the counters what they have counted; of a window that has ended, nothing.
  /// Errors: as of take(); it stays counted then, at the latest until its window ends.
  [[nodiscard]] virtual async::Task<base::Expected<void>> give_back(
      std::vector<LimitReturn> returns) = 0;

  /// How the counters of a claim stand now, in order; counts nothing.
  /// Errors: unavailable, timed_out.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<LimitStanding>>> look(
      LimitClaim claim) = 0;
};

}  // namespace notify::stores
