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
};

}  // namespace notify::stores
