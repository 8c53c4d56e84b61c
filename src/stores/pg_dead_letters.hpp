#pragma once
// Dead letters in PostgreSQL.

#include "storage/pg/pool.hpp"
#include "stores/dead_letters.hpp"

namespace notify::stores {

/// Lifetime: `pool` outlives this.
class PgDeadLetters final : public DeadLetters {
 public:
  explicit PgDeadLetters(pg::Pool& pool) : pool_(pool) {}

  [[nodiscard]] async::Task<base::Expected<DeadLetterPage>> find(DeadLetterFilter filter,
                                                                 DeadLetterStretch stretch,
                                                                 base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<ReplayCounts>> replay(ReplayBatch batch,
                                                                 base::Deadline deadline) override;

 private:
  pg::Pool& pool_;
};

}  // namespace notify::stores
