#include "stores/pg_audit.hpp"

#include "stores/pg_appends.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Expected;
using base::fail;

/// By primary key.
constexpr pg::Statement kAppendAudit = {
    "audit_append",
    "INSERT INTO audit_log (id, at, actor, action, subject_type, subject_id, detail) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb) ON CONFLICT (id) DO NOTHING"};

pg::Params audit_params(const AuditEntry& entry) {
  pg::Params params;
  params.uuid(entry.id).timestamp(entry.id.instant()).text(entry.actor).text(entry.action);
  params.text(entry.subject_type).text(entry.subject_id).text(entry.detail);
  return params;
}

}  // namespace

async::Task<Expected<void>> PgAudit::append(AuditEntry entry, base::Deadline deadline) {
  auto written = co_await pool_.query({kAppendAudit, audit_params(entry)}, deadline);
  if (!written && written.error().fault == pg::Fault::no_partition &&
      co_await make_partitions(pool_, entry.id.instant(), deadline)) {
    written = co_await pool_.query({kAppendAudit, audit_params(entry)}, deadline);
  }
  // Its id makes it harmless to write it again, whatever became of the first.
  if (!written && (written.error().is_safe_to_retry() || written.error().outcome_unknown)) {
    written = co_await pool_.query({kAppendAudit, audit_params(entry)}, deadline);
  }
  if (!written) co_return fail(to_error(written.error()));
  co_return Expected<void>();
}

}  // namespace notify::stores
