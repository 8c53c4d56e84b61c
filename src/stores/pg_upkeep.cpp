#include "stores/pg_upkeep.hpp"

#include <utility>

#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

constexpr std::size_t kHolderMax = 255;  // the column's width

/// The only row.
constexpr pg::Statement kTakeOffice = {
    "upkeep_take_office",
    "UPDATE maintainer SET token = token + 1, holder = $1, elected_at = now() RETURNING token"};

/// The only row, locked against a successor until the end of the transaction. Without the right
/// token there is no row, and nothing is made.
constexpr pg::Statement kMakePartitions = {
    "upkeep_make_partitions",
    "WITH office AS MATERIALIZED (SELECT 1 FROM maintainer WHERE token = $1 FOR SHARE) "
    "SELECT ensure_partitions(date_trunc('month', now() AT TIME ZONE 'UTC')::date, 4)::bigint FROM "
    "office"};

}  // namespace

async::Task<Expected<FencingToken>> PgUpkeep::take_office(std::string holder,
                                                          base::Deadline deadline) {
  pg::Params params;
  params.text(holder.substr(0, kHolderMax));
  const auto result = co_await pool_.query({kTakeOffice, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->rows() != 1) co_return fail(Errc::corrupt, "the table maintainer has not one row");
  const auto token = result->int64(0, 0);
  if (!token) co_return fail(token.error());
  co_return FencingToken{*token};
}

async::Task<Expected<std::size_t>> PgUpkeep::make_partitions(FencingToken token,
                                                             base::Deadline deadline) {
  pg::Params params;
  params.int64(token.value);
  const auto result = co_await pool_.query({kMakePartitions, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->rows() != 1) co_return fail(Errc::conflict, "another node was elected since");
  const auto made = result->int64(0, 0);
  if (!made) co_return fail(made.error());
  co_return static_cast<std::size_t>(*made);
}

}  // namespace notify::stores
