#pragma once
// The ledger in PostgreSQL: group commit over all concurrent callers of a worker. The way in is
// pg_appends.hpp; outcomes are here.

#include "base/async/batcher.hpp"
#include "base/async/timers.hpp"
#include "storage/pg/pool.hpp"
#include "stores/ledger.hpp"
#include "stores/pg_appends.hpp"

namespace notify::stores {

struct PgLedgerOptions {
  PgAppendOptions append;
  async::BatcherLimits record{.batch_max = 500,
                              .flights_max = 2,
                              .waiting_max = 20'000,
                              .interval = std::chrono::milliseconds(16)};
  std::chrono::milliseconds write_timeout{5000};
};

/// Threading: the executor of `timers`.
/// Lifetime:  the pools and `timers` outlive this; stop() completes before destruction.
class PgLedger final : public Ledger {
 public:
  /// `intake` is for what is accepted, and plans its statement once (pg::Plans::generic); `pool` is
  /// for all else.
  PgLedger(pg::Pool& intake, pg::Pool& pool, async::Timers& timers, const PgLedgerOptions& options,
           const async::OnEscape& on_escape);

  [[nodiscard]] async::Task<std::vector<base::Expected<Appended>>> append(
      std::vector<Submission> submissions, std::string lane) override {
    return appends_.append(std::move(submissions), std::move(lane));
  }
  [[nodiscard]] async::Task<std::vector<base::Expected<Appended>>> find_repeats(
      std::vector<Submission> submissions) override {
    return appends_.find_repeats(std::move(submissions));
  }
  [[nodiscard]] async::Task<base::Expected<void>> record(DeliveryRecord record) override;
  [[nodiscard]] async::Task<base::Expected<void>> release_deferred(
      base::UserId user, base::WallTime at, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<bool>> cancel(base::NotificationId id, base::WallTime at,
                                                         std::string decision,
                                                         base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> mark_retracted(std::vector<Marked> marks,
                                                                 base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<ProgressById>> progress(
      std::vector<base::NotificationId> ids, base::Deadline deadline) override;

  /// Writes what waits, refuses what comes after.
  [[nodiscard]] async::Task<void> stop();

 private:
  using Results = std::vector<base::Expected<async::Unit>>;

  async::Task<Results> record_batch(std::vector<DeliveryRecord> batch);
  async::Task<pg::Expected<std::vector<pg::Result>>> write(const std::vector<DeliveryRecord>& batch,
                                                           base::Deadline deadline);
  async::Task<pg::Expected<std::vector<pg::Result>>> write_again(
      const std::vector<DeliveryRecord>& batch);

  pg::Pool& pool_;
  async::Timers& timers_;
  PgLedgerOptions options_;
  PgAppends appends_;
  async::Batcher<DeliveryRecord, async::Unit> records_;
};

}  // namespace notify::stores
