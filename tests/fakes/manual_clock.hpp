#pragma once
// A clock that moves only when told to.

#include "base/clock.hpp"

namespace notify::fakes {

class ManualClock final : public base::Clock {
 public:
  explicit ManualClock(
      base::WallTime start = base::WallTime(std::chrono::milliseconds(1'790'000'000'000)))
      : wall_(start) {}

  [[nodiscard]] base::WallTime now() const override { return wall_; }
  [[nodiscard]] base::SteadyTime steady_now() const override { return steady_; }

  void advance(std::chrono::milliseconds by) {
    wall_ += by;
    steady_ += by;
  }
  /// What an administrator or NTP does: only the wall clock moves.
  void jump_wall(std::chrono::milliseconds by) { wall_ += by; }

 private:
  base::WallTime wall_;
  base::SteadyTime steady_{std::chrono::seconds(1000)};
};

}  // namespace notify::fakes
