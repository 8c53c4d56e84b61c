#pragma once
// Upkeep in PostgreSQL: the table `maintainer` and the functions that make partitions.

#include "storage/pg/pool.hpp"
#include "stores/upkeep.hpp"

namespace notify::stores {

/// Threading: the executor of `pool`.
/// Lifetime:  `pool` outlives this.
class PgUpkeep final : public Upkeep {
 public:
  explicit PgUpkeep(pg::Pool& pool) : pool_(pool) {}

  [[nodiscard]] async::Task<base::Expected<FencingToken>> take_office(
      std::string holder, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> make_partitions(
      FencingToken token, base::Deadline deadline) override;

 private:
  pg::Pool& pool_;
};

}  // namespace notify::stores
