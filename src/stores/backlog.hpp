#pragma once
// The notifications that PostgreSQL has as unfinished: recovery compares them with the queue.

#include <optional>
#include <vector>

#include "stores/ledger.hpp"

namespace notify::stores {

struct BacklogItem {
  rules::Notification notification;
  base::WallTime due_at;
};

/// Where a page ended: the next one starts behind it.
struct BacklogCursor {
  base::WallTime at;
  base::NotificationId id;
};

/// A stretch of the backlog: behind `after`, before `until`, at most `limit` items.
struct BacklogPage {
  BacklogCursor after;
  base::WallTime until;
  std::int32_t limit = 500;
};

/// One page of the backlog. A row that cannot be decoded is skipped, as is a row of `due` without
/// its history: one bad row must not hide those behind it.
struct BacklogRead {
  std::vector<BacklogItem> items;
  std::optional<BacklogCursor> next;  ///< unset after the last page
  std::size_t unreadable = 0;         ///< rows that were skipped
};

/// By the database's clock. Every row made before `settled` is committed by now, or never will be.
struct LedgerHorizon {
  base::WallTime now;
  base::WallTime settled;
};

class Backlog {
 public:
  virtual ~Backlog() = default;

  /// How far the ledger can be read without missing a row that is still to be committed.
  /// Errors: permission_denied: a transaction that writes does not show when it began.
  [[nodiscard]] virtual async::Task<base::Expected<LedgerHorizon>> horizon(
      base::Deadline deadline) = 0;

  /// Notifications that are pending and wait for nothing, by their creation: the queue should hold
  /// them. `due_at` is when they were created.
  [[nodiscard]] virtual async::Task<base::Expected<BacklogRead>> pending(
      BacklogPage page, base::Deadline deadline) = 0;

  /// Those of these notifications that are pending and wait for nothing. One that cannot be decoded
  /// is left out.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<BacklogItem>>> pending_of(
      std::vector<base::NotificationId> ids, base::Deadline deadline) = 0;

  /// Notifications with a row in `due`, by the time they are due.
  [[nodiscard]] virtual async::Task<base::Expected<BacklogRead>> due(BacklogPage page,
                                                                     base::Deadline deadline) = 0;
};

}  // namespace notify::stores
