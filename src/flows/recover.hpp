#pragma once
// recover: what others left behind, what the queue has lost, what comes due → back to the queue.
//
// Three loops: the takeover of nodes whose heartbeat has stopped, which every worker does, so that
// it does not wait for an election; and, in the one that is elected, the sweep that compares
// PostgreSQL with the queue, and the upkeep of PostgreSQL.

#include <functional>
#include <optional>
#include <string>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "stores/backlog.hpp"
#include "stores/queue.hpp"
#include "stores/upkeep.hpp"

namespace notify::flows {

struct RecoverPolicy {
  std::chrono::milliseconds takeover_interval{1000};  ///< also: how soon an election is noticed
  std::chrono::milliseconds sweep_interval{10'000};
  std::chrono::milliseconds upkeep_interval{3'600'000};
  std::chrono::milliseconds retire_timeout{600'000};  ///< it goes on where it was an interval later
  /// A row younger than this is on its way into the queue and left alone.
  std::chrono::milliseconds grace = stores::kRecoverAfter;
  /// What a sweep has seen in the queue may have been lost right after; the next one looks at so
  /// much of it again.
  std::chrono::milliseconds overlap{15'000};
  /// How far back a sweep looks when the queue has lost its data.
  std::chrono::milliseconds look_back = std::chrono::hours(25);
  /// A query of the history is over at most so much of it, whatever it finds there.
  std::chrono::milliseconds window = std::chrono::minutes(5);
  std::int32_t page = 500;
  std::chrono::milliseconds step_timeout{5000};
};

struct RecoverEvents {
  std::function<void()> elected;
  std::function<void(std::size_t)> taken_over;
  std::function<void(std::size_t)> readmitted;
  std::function<void()> rebuilt;  ///< after the queue had lost its data
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
class Recover {
 public:
  struct Parts {
    stores::Repairs& repairs;
    stores::Backlog& backlog;
    stores::Upkeep& upkeep;
    async::Timers& timers;
    std::string node;  ///< for people who ask who was elected
    RecoverPolicy policy;
    RecoverEvents events;
    std::function<void()> wake_deliver;
    std::function<stores::Pulse()> pulse;
  };

  Recover(Parts parts, async::OnEscape on_escape);

  void start();
  [[nodiscard]] async::Task<void> stop();

  /// Of what was just committed with a row in `due`, puts into the queue what comes due before the
  /// next sweep may have looked. What it cannot put in, that sweep will.
  [[nodiscard]] async::Task<void> promote(std::vector<stores::QueueItem> items);

 private:
  async::Task<void> takeover_loop();
  async::Task<void> sweep_loop();
  async::Task<void> upkeep_loop();
  async::Task<void> take_over();
  async::Task<void> rebuild(std::uint64_t epoch_number);
  async::Task<void> sweep_tail();
  async::Task<void> sweep_due();
  async::Task<bool> sweep_pending(base::WallTime from, base::WallTime until);
  using ReadPage = async::Task<base::Expected<std::vector<stores::BacklogItem>>> (
      stores::Backlog::*)(stores::BacklogPage, base::Deadline);
  async::Task<bool> sweep(ReadPage read, base::WallTime from, base::WallTime until);
  async::Task<bool> readmit(std::vector<stores::BacklogItem> items);
  async::Task<void> keep_up();
  async::Task<void> retire(stores::FencingToken token);
  void put_back(std::size_t count);
  bool succeeded(std::string_view step, const base::Expected<void>& result);
  [[nodiscard]] bool may_go_on(std::uint64_t epoch_number) const;
  [[nodiscard]] base::WallTime now() const { return parts_.timers.clock().now(); }
  /// Promotion is a sweep ahead of time, so that nothing comes late for having waited in `due`.
  [[nodiscard]] base::WallTime promoted_until() const {
    return now() + 2 * parts_.policy.sweep_interval;
  }
  [[nodiscard]] base::Deadline soon() const {
    return parts_.timers.after(parts_.policy.step_timeout);
  }

  Parts parts_;
  std::uint64_t epoch_swept_ = 0;    ///< the epoch that the sweep under way began in
  std::uint64_t epoch_rebuilt_ = 0;  ///< the last heartbeat may not know it yet
  async::TaskGroup loops_;
};

}  // namespace notify::flows
