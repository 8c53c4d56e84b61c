#pragma once
// cancel: id → marked in PostgreSQL → out of the queue's clean path → nobody at work on it →
// answer.
//
// What was answered "cancelled" is never sent after the answer. Why that holds:
//
//   1. The mark is committed first. Whoever reads the record of a suspect from then on finds it
//      finished (rules::is_finished), whatever brought it back: a retry, the end of quiet hours,
//      its time, a takeover, a rebuild, a salvage, a sweep that had read it before.
//   2. Then Repairs::withdraw() makes it a suspect, in one step with the look at who has it leased.
//      So whoever leases it after that reads the mark. That covers what waits in the queue on its
//      first, clean try, and what accept has still on its way there: it finds the suspect that was
//      put in its place, which stays there for longer than accept may take.
//   3. Who has it leased at that moment may have read nothing, or read before the mark. It is
//      waited for, for a while: then its outcome is on record, and says what was sent. A lease
//      that was taken over is no lease of who had it: it does not send (Heartbeat::lease_term),
//      and who has it next is as in 2. In a young epoch the books may lack leases: that counts as
//      leased.
//   4. If the wait is over, or Redis does not answer, "cancelled" is not the answer: it is "too
//      late" or an error. The mark stays, and no further try is made; to call again is harmless
//      and tells.
//
// A queue that is emptied loses the suspect, but takes in as one what may be older than its epoch.
// What cannot be told: who died between sending it and recording that.

#include <functional>
#include <vector>

#include "base/async/timers.hpp"
#include "rules/delivery.hpp"
#include "stores/history.hpp"
#include "stores/queue.hpp"

namespace notify::flows {

struct CancelPolicy {
  std::chrono::milliseconds wait{2000};  ///< for who is at work on it
  std::chrono::milliseconds poll{50};
  std::chrono::milliseconds step_timeout{5000};
};

struct CancelEvents {
  std::function<void(rules::CancelResult)> answered;
  std::function<void(std::string_view step, const base::Error&)> step_failed;
};

struct Cancelled {
  rules::CancelResult result = rules::CancelResult::cancelled;
  rules::Status status = rules::Status::cancelled;  ///< by now
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it and its calls.
class Cancel {
 public:
  struct Parts {
    stores::Ledger& ledger;
    stores::History& history;
    stores::Repairs& repairs;
    async::Timers& timers;
    CancelPolicy policy;
    CancelEvents events;
    std::function<stores::Pulse()> pulse;
  };

  explicit Cancel(Parts parts) : parts_(std::move(parts)) {}

  /// Errors: not_found; unavailable and timed_out: it may be cancelled, but whether it can still be
  ///         sent is not known.
  /// Cancel: it may be cancelled.
  [[nodiscard]] async::Task<base::Expected<Cancelled>> cancel(base::NotificationId id,
                                                              base::Deadline deadline);

  using Ids = std::vector<base::NotificationId>;
  /// The same for several, which share one wait. Returns those that a worker still has at its end:
  /// they may be sent, and are not tried again.
  /// Errors: as cancel(), without not_found: unknown ones are passed over.
  /// Cancel: some may be cancelled.
  [[nodiscard]] async::Task<base::Expected<Ids>> take_back(std::vector<rules::Notification> which,
                                                           base::Deadline deadline);

 private:
  /// Those that somebody may still be at work on.
  async::Task<base::Expected<Ids>> still_at_work(std::vector<rules::Notification> which,
                                                 base::Deadline deadline);
  [[nodiscard]] base::Deadline soon(base::Deadline deadline) const {
    return deadline.earlier_of(parts_.timers.after(parts_.policy.step_timeout));
  }

  Parts parts_;
};

}  // namespace notify::flows
