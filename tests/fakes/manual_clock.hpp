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

/// What a node takes for the time: its wall clock may be off, its steady clock is not.
class SkewedClock final : public base::Clock {
 public:
  SkewedClock(const base::Clock& world, std::chrono::milliseconds ahead)
      : world_(world), ahead_(ahead) {}
  [[nodiscard]] base::WallTime now() const override { return world_.now() + ahead_; }
  [[nodiscard]] base::SteadyTime steady_now() const override { return world_.steady_now(); }
  void set_ahead(std::chrono::milliseconds ahead) { ahead_ = ahead; }

 private:
  const base::Clock& world_;
  std::chrono::milliseconds ahead_;
};

}  // namespace notify::fakes
