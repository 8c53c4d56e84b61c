#pragma once
// The history, read from PostgreSQL.

#include "base/clock.hpp"
#include "storage/pg/pool.hpp"
#include "stores/history.hpp"

namespace notify::stores {

/// Lifetime: the pools and `clock` outlive this.
class PgHistory final : public History {
 public:
  struct Pools {
    pg::Pool& urgent;  ///< for one notification, by its key
    pg::Pool& heavy;   ///< for lists, which may take seconds
  };
  /// `kept` is how long the history is kept: what is older is not looked for.
  PgHistory(Pools pools, const base::Clock& clock, std::chrono::milliseconds kept)
      : pools_(pools), clock_(clock), kept_(kept) {}

  [[nodiscard]] async::Task<base::Expected<Story>> find(base::NotificationId id,
                                                        base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<HistoryRecord>>> list(
      base::UserId user, std::optional<base::NotificationId> before, std::int32_t limit,
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<Retractable>>> retractable(
      RetractionScope scope, std::int32_t limit, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<base::NotificationId>> newest_of(
      RetractionScope scope, base::Deadline deadline) override;

 private:
  [[nodiscard]] pg::Params params_of(const RetractionScope& scope) const;

  Pools pools_;
  const base::Clock& clock_;
  std::chrono::milliseconds kept_;
};

}  // namespace notify::stores
