#pragma once
// bursts: notifications that somebody is to hear of at once → the first of a burst, or one that
// waits for its end. The first of a conversation opens a window; what comes while it is open waits
// until it closes, and then the newest comes for all (rules::Rule::burst, Deliver). When that one
// is sent it opens the next window: a burst that goes on is heard once in each.
//
// A window is a counter of the limiter that has room for one. Redis being away, nobody waits.

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/async/timers.hpp"
#include "rules/notification.hpp"
#include "stores/limiter.hpp"

namespace notify::flows {

/// Threading: one executor.
/// Lifetime:  all it is given outlives it.
class Bursts {
 public:
  struct Parts {
    stores::Limiter& limiter;
    async::Timers& timers;
    std::chrono::milliseconds window{30'000};
    std::function<void(std::string_view step, const base::Error&)> step_failed;
  };

  struct Joined {
    std::optional<base::WallTime> until;  ///< when the burst is over; unset: it comes at once
    stores::LimitReturn opened;           ///< for give_back(); empty: it has opened no window
  };

  explicit Bursts(Parts parts) : parts_(std::move(parts)) {}

  /// One for each, in order. Never fails.
  /// Requires: each is of a conversation.
  /// Lifetime: the notifications outlive the call.
  [[nodiscard]] async::Task<std::vector<Joined>> join(
      std::vector<const rules::Notification*> notifications);

  /// Of one that stands for a burst: what comes soon after it waits for the next.
  [[nodiscard]] async::Task<void> open(const rules::Notification& notification);

  /// Of those that will not come after all: what comes next is the first.
  [[nodiscard]] async::Task<void> give_back(std::vector<stores::LimitReturn> opened);

 private:
  Parts parts_;
};

}  // namespace notify::flows
