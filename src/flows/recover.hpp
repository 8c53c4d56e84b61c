#pragma once
// recover: what others left behind, and what comes due → back to the queue.
//
// Three loops: the heartbeat that keeps this node's leases its own; the takeover of nodes whose
// heartbeat has stopped; the sweep that compares PostgreSQL with the queue.

#include <functional>
#include <unordered_set>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "stores/backlog.hpp"
#include "stores/queue.hpp"

namespace notify::flows {

struct RecoverPolicy {
  std::chrono::milliseconds heartbeat_interval{1000};
  std::chrono::milliseconds heartbeat_timeout{5000};  ///< after which others take over
  std::chrono::milliseconds sweep_interval{10'000};
  /// A row younger than this is on its way into the queue and left alone.
  std::chrono::milliseconds grace{5000};
  /// How far back a sweep looks after a start and after the queue has lost its data; the others
  /// look at what came since.
  std::chrono::hours first_look_back{25};
  std::int32_t page = 500;
  std::chrono::milliseconds step_timeout{5000};
};

struct RecoverEvents {
  std::function<void(std::size_t)> taken_over;
  std::function<void(std::size_t)> readmitted;
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
class Recover {
 public:
  struct Parts {
    stores::Leases& leases;
    stores::Backlog& backlog;
    async::Timers& timers;
    RecoverPolicy policy;
    RecoverEvents events;
    std::function<void()> wake_deliver;
    /// Whether deliver is at work on it.
    std::function<bool(base::NotificationId)> is_held;
  };

  Recover(Parts parts, async::OnEscape on_escape);

  void start();
  [[nodiscard]] async::Task<void> stop();
  /// After deliver and these loops have stopped: leaves the register and the leases to the others.
  [[nodiscard]] async::Task<void> sign_off();

  /// Whether the last heartbeat is fresh enough that nobody can have taken over. False a safety
  /// margin before others may.
  [[nodiscard]] bool leases_are_ours() const;

 private:
  async::Task<void> heartbeat_loop();
  void look_back();
  async::Task<void> takeover_loop();
  async::Task<void> sweep_loop();
  async::Task<void> reclaim_orphans();
  async::Task<void> sweep_pending();
  async::Task<void> sweep_due();
  using ReadPage = async::Task<base::Expected<std::vector<stores::BacklogItem>>> (
      stores::Backlog::*)(stores::BacklogPage, base::Deadline);
  async::Task<bool> sweep(ReadPage read, base::WallTime from, base::WallTime until);
  async::Task<bool> readmit(std::vector<stores::BacklogItem> items);
  [[nodiscard]] base::Deadline soon() const {
    return parts_.timers.after(parts_.policy.step_timeout);
  }

  Parts parts_;
  base::SteadyTime last_heartbeat_ = base::SteadyTime::min();
  base::WallTime swept_until_;
  bool queue_was_lost_ = false;
  std::unordered_set<base::NotificationId> unheld_before_;
  async::TaskGroup loops_;
};

}  // namespace notify::flows
