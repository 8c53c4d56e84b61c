#pragma once
// Virtual time for several loops at once: runs what is ready everywhere, then moves the clock to
// the next expiry. A loop that is taken out stands still, as a process that was killed or frozen.

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <stdexcept>
#include <vector>

#include "base/async/timers.hpp"
#include "fakes/manual_clock.hpp"

namespace notify::fakes {

/// A thread's worth of things: what a shard has.
struct FakeLoop {
  explicit FakeLoop(const base::Clock& clock)
      : timers(context.get_executor(), clock, async::Timers::Driver::by_hand) {}
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      context.get_executor()};
  async::Timers timers;
};

class FakeTime {
 public:
  explicit FakeTime(ManualClock& clock) : clock_(clock) {}

  void add(FakeLoop& loop) { loops_.push_back(&loop); }
  void remove(FakeLoop& loop) { std::erase(loops_, &loop); }

  /// Called after each handler that ran; by it a test counts steps and kills between them.
  std::function<void(FakeLoop&)> after_step;

  /// Runs until `done`, or for at most `limit` of virtual time; returns whether it is done.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds limit = std::chrono::hours(3)) {
    const base::SteadyTime end = clock_.steady_now() + limit;
    for (;;) {
      while (!done() && run_one()) {
      }
      if (done()) return true;
      const auto next = next_expiry();
      if (!next || *next > end) {
        move_to(end);
        return false;
      }
      move_to(*next);
    }
  }
  void run_for(std::chrono::milliseconds time) {
    run_until([] { return false; }, time);
  }

 private:
  bool run_one() {
    bool any = false;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      FakeLoop& loop = *loops_[i];
      if (loop.context.poll_one() == 0) continue;
      any = true;
      if (after_step) after_step(loop);
    }
    return any;
  }
  [[nodiscard]] std::optional<base::SteadyTime> next_expiry() const {
    std::optional<base::SteadyTime> earliest;
    for (FakeLoop* loop : loops_) {
      const auto next = loop->timers.next_expiry();
      if (next && (!earliest || *next < *earliest)) earliest = next;
    }
    return earliest;
  }
  void move_to(base::SteadyTime at) {
    using std::chrono::milliseconds;
    clock_.advance(
        std::max(milliseconds(0), std::chrono::ceil<milliseconds>(at - clock_.steady_now())));
    for (FakeLoop* loop : loops_) loop->timers.advance();
  }

  ManualClock& clock_;
  std::vector<FakeLoop*> loops_;
};

}  // namespace notify::fakes
