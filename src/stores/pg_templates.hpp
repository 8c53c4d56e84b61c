#pragma once
// Templates in PostgreSQL.

#include "storage/pg/pool.hpp"
#include "stores/templates.hpp"

namespace notify::stores {

/// Lifetime: `pool` outlives this.
class PgTemplates final : public Templates {
 public:
  explicit PgTemplates(pg::Pool& pool) : pool_(pool) {}

  [[nodiscard]] async::Task<base::Expected<TemplateRow>> find(std::string name,
                                                              base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<TemplateRow>>> list(
      TemplatePage page, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<TemplateRow>> create(TemplateRow row, AuditEntry entry,
                                                                base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<TemplateRow>> update(TemplateRow row, AuditEntry entry,
                                                                base::Deadline deadline) override;

 private:
  struct Change;
  async::Task<pg::Expected<pg::Result>> run(const Change& change, base::Deadline deadline);

  pg::Pool& pool_;
};

}  // namespace notify::stores
