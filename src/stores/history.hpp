#pragma once
// The reading side of the record, for callers and for people who ask what happened.

#include <optional>
#include <vector>

#include "rules/codec.hpp"
#include "stores/ledger.hpp"

namespace notify::stores {

struct HistoryRecord {
  rules::Notification notification;
  rules::Status status = rules::Status::pending;
  std::optional<base::WallTime> sent_at;
  std::optional<base::WallTime> delivered_at;
  std::optional<base::WallTime> opened_at;
  std::optional<base::WallTime> expired_at;
  std::optional<base::WallTime> cancelled_at;  ///< whatever its status
  std::optional<rules::RetractionMark> retracted;
  rules::RecordedDecisions decisions;
};

/// That an operator had it sent again.
struct Replay {
  base::WallTime at;
  base::ReplayJobId job;  ///< the subject of two entries of the audit
};

/// Everything there is to tell about one notification.
struct Story {
  HistoryRecord record;
  std::vector<rules::Attempt> attempts;  ///< oldest first
  std::optional<Due> due;                ///< what it waits for, if it does
  std::vector<Replay> replays;           ///< oldest first
};

/// Which notifications of a user a call wants to retract. At least one of the two is set.
struct RetractionScope {
  base::UserId user;
  std::optional<base::ConversationId> conversation;
  std::optional<base::MessageId> message;
  /// Not newer than this one.
  std::optional<base::NotificationId> up_to;
};

/// One that may be retracted.
struct Retractable {
  HistoryRecord record;
  bool waits = false;  ///< something of it may still be sent
};

class History {
 public:
  virtual ~History() = default;

  /// Errors: not_found, also without a query for an id that is not a v7 of a plausible time (D-3).
  [[nodiscard]] virtual async::Task<base::Expected<Story>> find(base::NotificationId id,
                                                                base::Deadline deadline) = 0;

  /// A user's notifications, newest first: those before `before`, at most `limit`.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<HistoryRecord>>> list(
      base::UserId user, std::optional<base::NotificationId> before, std::int32_t limit,
      base::Deadline deadline) = 0;

  /// Those of a scope that are not marked as retracted, newest first, at most `limit`. Suppressed
  /// ones and retractions are left out. Limits: it looks at the newest 2,000 of the user.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<Retractable>>> retractable(
      RetractionScope scope, std::int32_t limit, base::Deadline deadline) = 0;

  /// The newest notification of the scope, whatever its status and its mark. `up_to` is not looked
  /// at. Limits: as retractable(). Errors: not_found.
  [[nodiscard]] virtual async::Task<base::Expected<base::NotificationId>> newest_of(
      RetractionScope scope, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
