#pragma once
// The backlog, read from PostgreSQL.

#include "storage/pg/pool.hpp"
#include "stores/backlog.hpp"

namespace notify::stores {

/// Lifetime: `pool` outlives this.
class PgBacklog final : public Backlog {
 public:
  explicit PgBacklog(pg::Pool& pool) : pool_(pool) {}

  [[nodiscard]] async::Task<base::Expected<LedgerHorizon>> horizon(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<BacklogRead>> pending(BacklogPage page,
                                                                 base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<BacklogItem>>> pending_of(
      std::vector<base::NotificationId> ids, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<BacklogRead>> due(BacklogPage page,
                                                             base::Deadline deadline) override;

 private:
  pg::Pool& pool_;
};

}  // namespace notify::stores
