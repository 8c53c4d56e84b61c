#pragma once
// The life sign of this worker, which keeps its leases its own (decision D-12), and with it what it
// learns of the queue's epoch and of the election. Beside it, its own leases are kept in order:
// entered again after the queue has lost them, given back if nobody works on them.

#include <functional>
#include <unordered_set>
#include <vector>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "stores/queue.hpp"

namespace notify::flows {

struct HeartbeatPolicy {
  std::chrono::milliseconds interval{1000};
  std::chrono::milliseconds timeout{5000};  ///< after which others take over
  std::chrono::milliseconds step_timeout{5000};
};

struct HeartbeatEvents {
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
class Heartbeat {
 public:
  struct Parts {
    stores::Leases& leases;
    async::Timers& timers;
    HeartbeatPolicy policy;
    HeartbeatEvents events;
    /// The leases of this term that deliver is at work on.
    std::function<std::vector<stores::Lease>(std::uint64_t term)> held;
    std::function<bool(base::NotificationId)> is_held;
    std::function<bool()> may_lead{};  ///< unset: it may
  };

  Heartbeat(Parts parts, async::OnEscape on_escape);

  void start();
  [[nodiscard]] async::Task<void> stop();
  /// After deliver and these loops have stopped: leaves the register and the leases to the others.
  [[nodiscard]] async::Task<void> sign_off();

  /// A number for as long as nobody can have taken over: while the last heartbeat is fresh, until a
  /// safety margin before others may. 0 when it is not, and another one after that: what was
  /// leased in an earlier term may be somebody else's by now, though there are heartbeats again.
  [[nodiscard]] std::uint64_t lease_term() const;

  /// What the last heartbeat has told. If that is not fresh, this node leads nobody, and knows
  /// nothing of the epoch but that it may be young.
  [[nodiscard]] stores::Pulse pulse() const;

 private:
  async::Task<void> heartbeat_loop();
  async::Task<void> claim();
  void end_term() { last_heartbeat_ = base::SteadyTime::min(); }
  async::Task<void> orphans_loop();
  async::Task<void> reclaim_orphans();
  [[nodiscard]] base::Deadline soon() const {
    return parts_.timers.after(parts_.policy.step_timeout);
  }

  Parts parts_;
  base::SteadyTime last_heartbeat_ = base::SteadyTime::min();
  std::uint64_t term_ = 0;
  stores::Pulse pulse_;
  std::uint64_t claimed_in_ = 0;  ///< the epoch in which the books have what is held
  std::unordered_set<base::NotificationId> unheld_before_;
  async::TaskGroup loops_;
};

}  // namespace notify::flows
