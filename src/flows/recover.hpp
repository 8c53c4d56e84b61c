#pragma once
// recover: what others left behind, what the queue has lost, what comes due → back to the queue.
//
// Every worker takes over from nodes whose heartbeat has stopped, so that this does not wait for an
// election. The worker that is elected has four more loops: one promotes what comes due; one
// compares the newest rows of PostgreSQL with the queue, or, after the queue has lost data, all
// that it may have lost; a slow one compares a whole day, again and again; one keeps PostgreSQL in
// order. All of them go by the database's clock: that of a worker may be wrong (ADR 0014).

#include <algorithm>
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
  /// How far back a sweep looks when the queue has lost its data; and the patrol, always.
  std::chrono::milliseconds look_back = std::chrono::hours(25);
  /// A query of the history is over at most so much of it, whatever it finds there.
  std::chrono::milliseconds window = std::chrono::minutes(5);
  /// The patrol looks at one window, then rests so long, or a hundred times as long as it took. A
  /// round takes ten minutes with these, while ten million notifications a day come in.
  std::chrono::milliseconds patrol_interval{2000};
  std::int32_t page = 500;
  std::chrono::milliseconds step_timeout{5000};
};

struct RecoverEvents {
  std::function<void()> elected;
  std::function<void(std::size_t)> taken_over;
  std::function<void(std::size_t)> readmitted;
  std::function<void()> rebuilt;                ///< after the queue had lost its data
  std::function<void(std::size_t)> unreadable;  ///< rows that were left out, as often as they are
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

  /// Puts into the queue those of what was just committed with a row in `due` that come due before
  /// the next sweep may have looked. What it cannot put in, that sweep will.
  [[nodiscard]] async::Task<void> promote(std::vector<stores::QueueItem> items);

  /// Puts into the queue those of these that are pending and should be there. A caller who repeats
  /// a request so has it looked at now, if no sweep has found it yet.
  [[nodiscard]] async::Task<void> recheck(std::vector<base::NotificationId> ids);

 private:
  using ReadPage = async::Task<base::Expected<stores::BacklogRead>> (stores::Backlog::*)(
      stores::BacklogPage, base::Deadline);
  /// A stretch of the ledger for a sweep, and the epoch that the sweep goes by.
  struct Stretch {
    ReadPage read;
    base::WallTime from;
    base::WallTime until;
    std::uint64_t epoch_number;
  };

  async::Task<void> takeover_loop();
  async::Task<void> due_loop();
  async::Task<void> sweep_loop();
  async::Task<void> patrol_loop();
  async::Task<void> upkeep_loop();
  async::Task<void> take_over();
  async::Task<void> rebuild(stores::Pulse pulse);
  async::Task<bool> rebuild_down_to(base::WallTime from, base::WallTime down_from,
                                    stores::Rebuilt mark, std::uint64_t epoch_number);
  async::Task<void> sweep_tail(std::uint64_t epoch_number);
  async::Task<bool> sweep_due(std::uint64_t epoch_number);
  async::Task<void> patrol(std::uint64_t epoch_number);
  async::Task<bool> sweep(Stretch stretch);
  async::Task<bool> readmit(std::vector<stores::BacklogItem> items, std::uint64_t epoch_number);
  async::Task<std::optional<stores::LedgerHorizon>> horizon();
  async::Task<void> keep_up();
  async::Task<void> retire(stores::FencingToken token);
  void put_back(std::size_t count);
  bool succeeded(std::string_view step, const base::Expected<void>& result);
  [[nodiscard]] bool may_go_on(std::uint64_t epoch_number) const;
  [[nodiscard]] bool is_whole(const stores::Pulse& pulse) const {
    return pulse.epoch == stores::Epoch::whole || pulse.epoch_number == epoch_rebuilt_;
  }
  [[nodiscard]] base::SteadyTime steady_now() const { return parts_.timers.clock().steady_now(); }
  /// Promotion is a sweep ahead of time, so that nothing comes late for having waited in `due`.
  [[nodiscard]] base::WallTime promoted_until(base::WallTime now) const {
    return now + 2 * parts_.policy.sweep_interval;
  }
  [[nodiscard]] std::chrono::milliseconds look_interval() const {
    return std::min(parts_.policy.takeover_interval, parts_.policy.sweep_interval);
  }
  [[nodiscard]] base::Deadline soon() const {
    return parts_.timers.after(parts_.policy.step_timeout);
  }

  Parts parts_;
  std::uint64_t epoch_rebuilt_ = 0;  ///< the last heartbeat may not know it yet
  base::WallTime patrolled_down_to_;
  async::TaskGroup loops_;
};

}  // namespace notify::flows
