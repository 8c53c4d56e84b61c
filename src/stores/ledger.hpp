#pragma once
// The durable record of what was accepted and of every attempt: the truth, in PostgreSQL. This port
// is its writing side, as the accept and deliver flows use it.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "rules/codec.hpp"
#include "rules/delivery.hpp"
#include "rules/idempotency.hpp"
#include "rules/notification.hpp"

namespace notify::stores {

/// Why a notification that is not finished waits (the column due.reason).
enum class DueReason : std::uint8_t { retry = 1, deferred, scheduled, devices_unavailable, replay };
[[nodiscard]] std::string_view name(DueReason reason);

/// When it is to be looked at again.
struct Due {
  base::WallTime at;
  DueReason reason = DueReason::retry;
  std::string detail;  ///< for people
};

/// The outcome of one round of tries for one notification: all of it is written, or none.
struct DeliveryRecord {
  base::NotificationId notification;
  std::vector<rules::Attempt> attempts;
  std::optional<rules::Status> status;         ///< if it changes; ignored unless it moves up a rank
  base::WallTime at;                           ///< becomes sent_at, delivered_at or expired_at
  std::optional<Due> due;                      ///< unset: nothing more is to be done
  bool was_due = false;                        ///< a row of `due` may exist and has to go
  std::string decision{};                      ///< JSON: why it was not tried; empty: it was
  std::optional<base::WallTime> expires_at{};  ///< with `decision`, if it lives longer for it
};

/// What accept hands in.
struct Submission {
  rules::Notification notification;
  rules::Idempotency idempotency;
  rules::Status status = rules::Status::pending;
  std::optional<Due> due;  ///< with Status::deferred
  std::string decision{};  ///< JSON: why; empty: not recorded
};

/// What stands in the ledger for a submission: its own notification or, if the request is a repeat,
/// the one that was accepted first, as it is now.
struct Appended {
  base::NotificationId id;
  base::WallTime expires_at;
  rules::Status status = rules::Status::pending;
  bool is_repeat = false;
};

/// A notification is written within this time of its creation, by the database's clock, or never:
/// a sweep that has read the rows of an instant must not miss one that comes later (ADR 0014).
inline constexpr std::chrono::seconds kAppendWithin{5};

/// The answer to a submission that missed kAppendWithin.
[[nodiscard]] base::Error not_within();

/// Threading: one executor.
/// Errors:    unavailable and overloaded: not written. timed_out: it may have been written.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Commits history rows with what makes their requests unique, in one transaction. Concurrent
  /// calls share one statement and one fsync; the callers of all lanes are served in turn. One
  /// result for each submission, in order.
  /// Errors: already_exists: the caller's key stands for another request. unavailable: among
  /// others, the notification was made more than kAppendWithin before or after the database's now,
  /// and its request is no repeat.
  [[nodiscard]] virtual async::Task<std::vector<base::Expected<Appended>>> append(
      std::vector<Submission> submissions, std::string lane) = 0;

  /// What stands in the ledger already for requests that are not to be appended. Writes nothing.
  /// One result for each submission, in order.
  /// Errors: not_found: no such request was accepted in the last 24 hours; already_exists as of
  /// append().
  [[nodiscard]] virtual async::Task<std::vector<base::Expected<Appended>>> find_repeats(
      std::vector<Submission> submissions) = 0;

  /// Commits attempts, status and `due` in one transaction; writing the same record again is
  /// harmless. Concurrent calls share it.
  [[nodiscard]] virtual async::Task<base::Expected<void>> record(DeliveryRecord record) = 0;

  /// A notification that waits for the end of a user's quiet hours is due at `at` instead, if that
  /// is earlier: after a change of them it should not wait for the end of the old ones. One that
  /// waits for something else, as for the end of a burst, is left alone. Limits: the newest 2,000
  /// notifications of the user.
  [[nodiscard]] virtual async::Task<base::Expected<void>> release_deferred(
      base::UserId user, base::WallTime at, base::Deadline deadline) = 0;

  /// Ends it: what is pending or deferred becomes cancelled; of what waits in `due` for another try
  /// nothing is tried any more, whatever its status. Harmless when repeated. `decision` is JSON:
  /// why. Returns whether it is cancelled now; false: nothing was left of it that could be, or
  /// there is no such notification.
  [[nodiscard]] virtual async::Task<base::Expected<bool>> cancel(base::NotificationId id,
                                                                 base::WallTime at,
                                                                 std::string decision,
                                                                 base::Deadline deadline) = 0;

  /// Marks these as retracted; one that is marked keeps its mark. All are marked, or none.
  struct Marked {
    base::NotificationId notification;
    rules::RetractionMark mark;
  };
  [[nodiscard]] virtual async::Task<base::Expected<void>> mark_retracted(
      std::vector<Marked> marks, base::Deadline deadline) = 0;

  using ProgressById = std::unordered_map<base::NotificationId, rules::Progress>;
  /// What is known of these; an id that is not in the answer has no row.
  [[nodiscard]] virtual async::Task<base::Expected<ProgressById>> progress(
      std::vector<base::NotificationId> ids, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
