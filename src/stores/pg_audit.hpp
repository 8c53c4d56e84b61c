#pragma once
// The audit in PostgreSQL.

#include "storage/pg/pool.hpp"
#include "stores/audit.hpp"

namespace notify::stores {

/// Lifetime: `pool` outlives this.
class PgAudit final : public Audit {
 public:
  explicit PgAudit(pg::Pool& pool) : pool_(pool) {}

  [[nodiscard]] async::Task<base::Expected<void>> append(AuditEntry entry,
                                                         base::Deadline deadline) override;

 private:
  pg::Pool& pool_;
};

}  // namespace notify::stores
