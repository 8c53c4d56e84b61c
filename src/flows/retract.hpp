#pragma once
// retract: a scope → what waits is taken back → what devices may have is named in a retraction →
// committed → marked → queued. Deliver sends a retraction (flows/deliver_retracting.cpp).
//
// Why nothing is lost and a repeat is harmless:
//
//   1. Taking back is Cancel::take_back(), with its guarantee.
//   2. The attempts are read after that: they tell which devices got it. A notification that a
//   worker
//      still has may reach a device later. It is named too, and deliver waits for its outcome.
//   3. The retraction is committed before the notifications are marked. After a failure in between,
//      the same call makes the same retraction, which the ledger knows as a repeat.
//   4. A marked notification is not looked at again.

#include "base/uuid.hpp"
#include "flows/accept.hpp"
#include "flows/cancel.hpp"

namespace notify::flows {

/// One call names at most so many notifications.
inline constexpr std::int32_t kRetractMax = 100;

struct RetractOrder {
  std::optional<base::NotificationId> notification;  ///< this one alone; unset: by `scope`
  stores::RetractionScope scope;
  std::optional<base::MessageId> up_to;  ///< of the conversation: what is not newer than this
  std::optional<std::int32_t> badge;
};

struct Retracting {
  std::size_t withdrawn = 0;  ///< no device got them, and none will
  std::size_t removed = 0;    ///< named in `retractions`
  std::vector<base::NotificationId> retractions;
  bool has_more = false;  ///< kRetractMax was reached: call again
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it and its calls.
class Retract {
 public:
  struct Parts {
    Cancel& cancel;
    stores::Ledger& ledger;
    stores::History& history;
    stores::Queue& queue;
    base::UuidV7Generator& ids;
    async::Timers& timers;
    std::chrono::milliseconds step_timeout;
    std::function<void(std::string_view step, const base::Error&)> step_failed;
    std::function<void()> wake_deliver;  ///< something is due
  };

  explicit Retract(Parts parts) : parts_(std::move(parts)) {}

  /// Errors: not_found: no such notification, or none is about the message `up_to`. unavailable,
  ///         overloaded and timed_out: some of it may be done; the same call does the rest.
  /// Cancel: the same.
  [[nodiscard]] async::Task<base::Expected<Retracting>> retract(RetractOrder order, Caller caller,
                                                                base::Deadline deadline);

 private:
  using Found = std::vector<stores::Retractable>;
  async::Task<base::Expected<Found>> find(const RetractOrder& order, base::Deadline deadline);
  /// Commits and queues them. Returns the mark of each notification that one of them names.
  async::Task<base::Expected<std::vector<stores::Ledger::Marked>>> issue(
      std::vector<rules::Notification> retractions, Caller caller);
  [[nodiscard]] base::Deadline soon(base::Deadline deadline) const {
    return deadline.earlier_of(parts_.timers.after(parts_.step_timeout));
  }

  Parts parts_;
};

}  // namespace notify::flows
