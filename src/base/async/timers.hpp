#pragma once
// All waiting for time goes through here: a hashed timer wheel (Varghese & Lauck, 1987), O(1) to
// arm and to cancel, so that every request and stream can afford its own deadline. One Asio timer
// drives it, and only while something is armed. Without a driver it is moved by hand, which is how
// the simulation runs on virtual time.

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include "base/async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"

namespace notify::async {

class Timers;

/// One armed callback. Destroying or re-arming it disarms it; the callback runs on the executor of
/// its Timers and may destroy the Timer.
class Timer {
 public:
  Timer(Timers& timers, std::function<void()> on_expiry)
      : timers_(timers), on_expiry_(std::move(on_expiry)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { disarm(); }

  void arm(base::Deadline deadline);
  void disarm();

 private:
  friend class Timers;
  Timers& timers_;
  std::function<void()> on_expiry_;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  std::int64_t due_tick_ = 0;
  bool armed_ = false;
};

/// Threading: one executor.
/// Lifetime:  outlives every Timer; `clock` outlives this.
/// Units:     expiry is rounded up to the next tick; a timer never fires early.
class Timers {
 public:
  static constexpr std::chrono::milliseconds kTick{2};

  enum class Driver { asio_timer, by_hand };

  Timers(Executor executor, const base::Clock& clock, Driver driver = Driver::asio_timer);
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  [[nodiscard]] const Executor& executor() const { return executor_; }
  [[nodiscard]] const base::Clock& clock() const { return clock_; }
  [[nodiscard]] base::Deadline after(std::chrono::nanoseconds delay) const {
    return base::Deadline::after(clock_, delay);
  }

  /// Cancel: throws operation_aborted.
  [[nodiscard]] Task<void> sleep_until(base::Deadline deadline);
  [[nodiscard]] Task<void> sleep_for(std::chrono::nanoseconds delay);

  /// Fires all that is due at clock().steady_now().
  void advance();

  /// The earliest expiry; nullopt if nothing is armed. Walks the wheel: for the simulation.
  [[nodiscard]] std::optional<base::SteadyTime> next_expiry() const;

 private:
  friend class Timer;
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::int64_t kNotPlanned = std::numeric_limits<std::int64_t>::max();

  void insert(Timer& timer, base::Deadline deadline);
  void remove(Timer& timer);
  void fire_slot(std::size_t slot, std::int64_t until_tick);
  void plan_wake_up(std::int64_t tick);
  /// A planned wake-up is work of the io_context: its run() would not end before that time.
  void cancel_wake_up();
  void on_wake_up();
  [[nodiscard]] std::int64_t next_occupied_tick() const;
  [[nodiscard]] std::int64_t tick_of(base::SteadyTime time) const;

  Executor executor_;
  const base::Clock& clock_;
  base::SteadyTime origin_;
  std::int64_t current_tick_ = 0;
  std::array<Timer*, kSlots> slots_{};
  std::size_t armed_ = 0;
  std::optional<asio::steady_timer> driver_;
  std::int64_t planned_tick_ = kNotPlanned;
};

}  // namespace notify::async
