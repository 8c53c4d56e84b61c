#pragma once
// accept: request → valid → committed → OK → queued.
//
// The caller has its OK as soon as PostgreSQL has committed. Queueing follows on its own: if Redis
// is away, or this process dies in between, the recover flow finds the row and queues it.

#include <functional>

#include "base/async/task_group.hpp"
#include "base/uuid.hpp"
#include "flows/refusal.hpp"
#include "rules/validation.hpp"
#include "stores/ledger.hpp"
#include "stores/queue.hpp"

namespace notify::flows {

struct Accepted {
  base::NotificationId id;
  base::WallTime created_at;
  base::WallTime expires_at;
};

/// What accept counts; the composition root binds it to metrics.
struct AcceptEvents {
  std::function<void()> accepted;
  std::function<void(base::Errc)> refused;
  std::function<void()> not_queued;  ///< committed, but Redis did not take it: recover will
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it; `stop()` completes before destruction.
class Accept {
 public:
  struct Parts {
    stores::Ledger& ledger;
    stores::Queue& queue;
    base::UuidV7Generator& ids;
    rules::ExpiryPolicy expiry;
    AcceptEvents events;
    std::function<void()> wake_deliver;  ///< something is due
  };

  Accept(Parts parts, const async::Executor& executor, async::OnEscape on_escape);

  /// Errors: invalid with violations (nothing stored); overloaded, unavailable (nothing stored);
  ///         timed_out (it may have been stored).
  /// Cancel: the notification may have been accepted.
  [[nodiscard]] async::Task<Answer<Accepted>> accept(rules::SendRequest request);

  /// Waits until everything accepted has been offered to the queue.
  [[nodiscard]] async::Task<void> stop() { return queueing_.join(); }

 private:
  async::Task<void> enqueue(rules::Notification notification);

  Parts parts_;
  async::TaskGroup queueing_;
};

}  // namespace notify::flows
