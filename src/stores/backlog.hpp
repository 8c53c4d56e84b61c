#pragma once
// What PostgreSQL knows to be unfinished: recovery compares it with the queue.

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

class Backlog {
 public:
  virtual ~Backlog() = default;

  /// Notifications that are pending and wait for nothing, by their creation: the queue should hold
  /// them. `due_at` is when they were created.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<BacklogItem>>> pending(
      BacklogPage page, base::Deadline deadline) = 0;

  /// Notifications with a row in `due`, by the time they are due.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<BacklogItem>>> due(
      BacklogPage page, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
