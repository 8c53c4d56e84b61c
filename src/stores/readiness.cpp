#include "stores/readiness.hpp"

#include <utility>

#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

constexpr pg::Statement kTryWrite = {
    "readiness_write",
    "SELECT pg_logical_emit_message(true, 'notification-service', '') IS NOT NULL "
    "WHERE current_setting('transaction_read_only') = 'off'"};

constexpr pg::Statement kSchemaHas = {"readiness_schema", "SELECT schema_has($1)"};

/// PostgreSQL: there is no such function. Schemas before the change `retention` have none.
constexpr std::string_view kUndefinedFunction = "42883";

}  // namespace

async::Task<Expected<void>> try_write(pg::Pool& pool, base::Deadline deadline) {
  const auto result = co_await pool.query({kTryWrite, {}}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return fail(Errc::unavailable, "PostgreSQL is read-only");
  co_return Expected<void>();
}

async::Task<Expected<void>> try_write(redis::Client& client, base::Deadline deadline) {
  redis::Command set("SET");
  set.key("notification:probe").arg("").arg("EX").arg(std::int64_t{60});
  const auto reply = co_await client.command(std::move(set), deadline);
  if (!reply) co_return fail(reply.error());
  co_return Expected<void>();
}

async::Task<Expected<bool>> schema_has(pg::Pool& pool, std::string_view change,
                                       base::Deadline deadline) {
  pg::Params params;
  params.text(change);
  const auto result = co_await pool.query({kSchemaHas, std::move(params)}, deadline);
  if (!result && result.error().sqlstate == kUndefinedFunction) co_return false;
  if (!result) co_return fail(to_error(result.error()));
  co_return result->boolean(0, 0);
}

}  // namespace notify::stores
