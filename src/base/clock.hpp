#pragma once
// The only two sources of time. Everything that needs the time takes a Clock, so that tests and
// the simulation can hold it still, move it, or make it jump.

#include <chrono>

namespace notify::base {

/// UTC wall-clock time in milliseconds, the precision in which ids, rows and queues keep it.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// Time that never goes back: for deadlines, timers and latencies.
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime now() const = 0;
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
};

/// Threading: any.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override;
  [[nodiscard]] SteadyTime steady_now() const override;
};

}  // namespace notify::base
