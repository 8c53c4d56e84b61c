#pragma once
// Upkeep in PostgreSQL: the table `maintainer`, and the functions that make partitions and take
// them away (db/deploy/partitions.sql, db/deploy/retention.sql; ADR 0020).

#include <functional>
#include <string_view>

#include "base/async/timers.hpp"
#include "storage/pg/pool.hpp"
#include "stores/upkeep.hpp"

namespace notify::stores {

/// How long each kind of row is kept.
struct Retention {
  std::chrono::milliseconds history = std::chrono::days(90);
  std::chrono::milliseconds attempts = std::chrono::days(30);
  std::chrono::milliseconds interactions = std::chrono::days(30);
  std::chrono::milliseconds audit = std::chrono::days(365);
  std::chrono::milliseconds replays = std::chrono::days(90);
  std::chrono::milliseconds idempotency_keys = std::chrono::days(2);
};

struct UpkeepOptions {
  Retention retention;
  /// For one statement. Detaching waits for every transaction that uses the table, as long as the
  /// pool's statement_timeout; the next run ends what broke off.
  std::chrono::milliseconds step_timeout{35'000};
  std::int64_t delete_max = 1000;  ///< rows in one transaction, from tables without partitions
  /// For logs: each partition that was dropped, by its name.
  std::function<void(std::string_view partition)> on_dropped;
};

/// Threading: the executor of `pool`.
/// Lifetime:  `pool` and `timers` outlive this.
class PgUpkeep final : public Upkeep {
 public:
  PgUpkeep(pg::Pool& pool, async::Timers& timers, UpkeepOptions options)
      : pool_(pool), timers_(timers), options_(std::move(options)) {}

  [[nodiscard]] async::Task<base::Expected<FencingToken>> take_office(
      std::string holder, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> make_partitions(
      FencingToken token, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> retire(FencingToken token,
                                                                base::Deadline deadline) override;

 private:
  struct Table {
    std::string_view name;
    std::chrono::milliseconds keep;
  };
  struct Step {
    std::string partition;  ///< empty: nothing is left to do
    std::string detach;     ///< empty: it is detached already
  };
  [[nodiscard]] async::Task<base::Expected<base::WallTime>> begin_retention(
      FencingToken token, base::Deadline deadline);
  [[nodiscard]] async::Task<base::Expected<std::size_t>> retire_partitions(FencingToken token,
                                                                           Table table,
                                                                           base::WallTime at,
                                                                           base::Deadline deadline);
  [[nodiscard]] async::Task<base::Expected<Step>> next_step(FencingToken token, Table table,
                                                            base::WallTime at,
                                                            base::Deadline deadline);
  [[nodiscard]] async::Task<base::Expected<void>> drop(FencingToken token, std::string_view table,
                                                       std::string_view partition,
                                                       base::Deadline deadline);
  [[nodiscard]] async::Task<base::Expected<std::size_t>> delete_rows(pg::Statement statement,
                                                                     FencingToken token,
                                                                     base::WallTime before,
                                                                     base::Deadline deadline);
  [[nodiscard]] base::Deadline step(base::Deadline deadline) const {
    return deadline.earlier_of(timers_.after(options_.step_timeout));
  }

  pg::Pool& pool_;
  async::Timers& timers_;
  UpkeepOptions options_;
};

}  // namespace notify::stores
