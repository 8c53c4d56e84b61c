#pragma once
// How fast this worker may send, so that the project's quota is not used up: a token bucket, which
// tells those over it when their turn is (the generic cell rate algorithm). After idleness the rate
// grows to its full height over a minute, since Google's servers grow with it.
// Source: Firebase, "Throttling and quotas": 600,000 messages a minute and project; "Best practices
//         when sending FCM messages at scale": ramp up over at least 60 seconds; ITU-T I.371.

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.hpp"

namespace notify::providers {

/// Threading: one thread.
class SendQuota {
 public:
  /// Turns that were not taken may be made up for within this time, and no longer.
  static constexpr std::chrono::seconds kBurst{1};
  /// The time in which the rate grows, and the idleness after which it begins anew.
  static constexpr std::chrono::seconds kRamp{60};
  /// The part of the rate with which it begins: a tenth.
  static constexpr int kFirstPart = 10;

  /// `per_minute` is at least 1.
  explicit SendQuota(std::size_t per_minute)
      : interval_(std::chrono::nanoseconds(std::chrono::minutes(1)) /
                  static_cast<std::int64_t>(per_minute)) {}

  struct Turn {
    bool taken = false;
    /// Until the turn; or, if none was taken, until there is one.
    std::chrono::nanoseconds wait{0};
  };
  /// Takes the next turn unless it comes later than after `patience`.
  [[nodiscard]] Turn take(base::SteadyTime now, std::chrono::nanoseconds patience) {
    if (now >= next_ + kRamp) ramp_from_ = now;
    const base::SteadyTime turn = std::max(now, next_);
    const auto wait = std::max(turn - now - kBurst, std::chrono::nanoseconds(0));
    if (wait > patience) return {.taken = false, .wait = wait};
    next_ = turn + interval_at(turn);
    return {.taken = true, .wait = wait};
  }

 private:
  /// Between two turns: longer while the rate grows.
  [[nodiscard]] std::chrono::nanoseconds interval_at(base::SteadyTime time) const {
    const std::chrono::nanoseconds grown = std::max<std::chrono::nanoseconds>(
        time - ramp_from_, std::chrono::nanoseconds(kRamp) / kFirstPart);
    if (grown >= kRamp) return interval_;
    const double part = std::chrono::duration<double>(grown) / std::chrono::duration<double>(kRamp);
    return std::chrono::nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(interval_.count()) / part));
  }

  std::chrono::nanoseconds interval_;
  base::SteadyTime next_{};       ///< the next turn that is free
  base::SteadyTime ramp_from_{};  ///< since then the rate grows
};

}  // namespace notify::providers
