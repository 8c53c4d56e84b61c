#pragma once
// The ledger in PostgreSQL: group commit over all concurrent callers of a worker.

#include "base/async/batcher.hpp"
#include "base/async/timers.hpp"
#include "storage/pg/pool.hpp"
#include "stores/ledger.hpp"

namespace notify::stores {

struct PgLedgerOptions {
  async::BatcherLimits append{.batch_max = 500, .flights_max = 2, .waiting_max = 20'000};
  async::BatcherLimits record{.batch_max = 500, .flights_max = 2, .waiting_max = 20'000};
  std::chrono::milliseconds write_timeout{5000};
  std::chrono::milliseconds look_up_timeout{1000};  ///< of ids whose commit got no answer
};

/// Threading: the executor of `timers`.
/// Lifetime:  `pool` and `timers` outlive this; stop() completes before destruction.
class PgLedger final : public Ledger {
 public:
  PgLedger(pg::Pool& pool, async::Timers& timers, const PgLedgerOptions& options,
           const async::OnEscape& on_escape);

  [[nodiscard]] async::Task<base::Expected<void>> append(rules::Notification n) override;
  [[nodiscard]] async::Task<base::Expected<void>> record(DeliveryRecord record) override;
  [[nodiscard]] async::Task<base::Expected<ProgressById>> progress(
      std::vector<base::NotificationId> ids, base::Deadline deadline) override;

  /// Writes what waits, refuses what comes after.
  [[nodiscard]] async::Task<void> stop();

 private:
  using Results = std::vector<base::Expected<async::Unit>>;

  async::Task<Results> append_batch(std::vector<rules::Notification> batch);
  async::Task<pg::Expected<pg::Result>> insert(std::vector<rules::Notification> batch,
                                               base::Deadline deadline);
  async::Task<Results> bisect(std::vector<rules::Notification> batch);
  async::Task<Results> look_up(std::vector<rules::Notification> batch, base::Error why);
  async::Task<bool> make_partitions(base::WallTime instant);
  async::Task<Results> record_batch(std::vector<DeliveryRecord> batch);
  async::Task<pg::Expected<std::vector<pg::Result>>> write(std::vector<DeliveryRecord> batch,
                                                           base::Deadline deadline);

  pg::Pool& pool_;
  async::Timers& timers_;
  PgLedgerOptions options_;
  async::Batcher<rules::Notification, async::Unit> appends_;
  async::Batcher<DeliveryRecord, async::Unit> records_;
};

}  // namespace notify::stores
