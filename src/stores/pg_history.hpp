#pragma once
// The history, read from PostgreSQL.

#include "base/clock.hpp"
#include "storage/pg/pool.hpp"
#include "stores/history.hpp"

namespace notify::stores {

/// Lifetime: `pool` and `clock` outlive this.
class PgHistory final : public History {
 public:
  PgHistory(pg::Pool& pool, const base::Clock& clock) : pool_(pool), clock_(clock) {}

  [[nodiscard]] async::Task<base::Expected<Story>> find(base::NotificationId id,
                                                        base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<HistoryRecord>>> list(
      base::UserId user, std::optional<base::NotificationId> before, std::int32_t limit,
      base::Deadline deadline) override;

 private:
  pg::Pool& pool_;
  const base::Clock& clock_;
};

}  // namespace notify::stores
