#include "stores/pg_backlog.hpp"

#include <algorithm>
#include <utility>

#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

/// How much later than its own transaction a statement may read the clock, and the rounding of it.
constexpr std::chrono::seconds kSettledMargin{1};

/// By primary key: (created_at, id) from the cursor upwards. A notification with a row in `due`
/// waits there.
constexpr pg::Statement kPending = {
    "backlog_pending",
    "SELECT " NOTIFY_HISTORY_COLUMNS
    ", h.created_at, h.id FROM notification_history h "
    "WHERE h.created_at >= $1 AND (h.created_at, h.id) > ($1, $2) AND h.created_at < $3 "
    "AND h.status = 'pending' "
    "AND NOT EXISTS (SELECT 1 FROM due d WHERE d.notification_id = h.id) "
    "ORDER BY h.created_at, h.id LIMIT $4"};

/// By primary key, within the bounds.
constexpr pg::Statement kPendingOf = {
    "backlog_pending_of",
    "SELECT " NOTIFY_HISTORY_COLUMNS
    ", h.created_at, h.id FROM notification_history h "
    "JOIN unnest($1::uuid[], $2::timestamp[]) AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4 AND h.status = 'pending' "
    "AND NOT EXISTS (SELECT 1 FROM due d WHERE d.notification_id = h.id) "
    "ORDER BY h.created_at, h.id"};

/// The index on due.due_at, then the history by primary key: the id tells created_at. A row without
/// its history stays, with nulls, so that the page goes on behind it.
constexpr pg::Statement kDue = {
    "backlog_due", "SELECT " NOTIFY_HISTORY_COLUMNS
                   ", d.due_at, d.notification_id FROM (SELECT * FROM due WHERE due_at >= $1 "
                   "AND (due_at, notification_id) > ($1, $2) "
                   "AND due_at < $3 ORDER BY due_at, notification_id LIMIT $4) d "
                   "LEFT JOIN notification_history h ON h.id = d.notification_id "
                   "AND h.created_at = uuid_v7_instant(d.notification_id) AT TIME ZONE 'UTC' "
                   "ORDER BY d.due_at, d.notification_id"};

/// The clock is read first, by a statement of its own: a transaction that kWriters does not see
/// gets its number later, and reads its own clock later still (kAppend).
constexpr pg::Statement kNow = {"backlog_now", "SELECT clock_timestamp() AT TIME ZONE 'UTC'"};

/// When the oldest transaction began that writes to this database, and how many writers do not show
/// it. A backend that was idle when its entry was copied has begun after that. A prepared
/// transaction shows when it was prepared.
constexpr pg::Statement kWriters = {
    "backlog_writers",
    "SELECT min(w.began) AT TIME ZONE 'UTC', count(*) FILTER (WHERE w.is_hidden) FROM ("
    "SELECT a.xact_start AS began, "
    "a.xact_start IS NULL AND coalesce(a.state, 'disabled') = 'disabled' AS is_hidden "
    "FROM pg_stat_activity a WHERE a.backend_xid IS NOT NULL "
    "AND a.datid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "UNION ALL SELECT p.prepared, false FROM pg_prepared_xacts p "
    "WHERE p.database = current_database()) w"};

/// A row of the three statements above; the cursor stands in two columns behind it.
BacklogRead read_rows(const pg::Result& result) {
  BacklogRead read;
  read.items.reserve(result.rows());
  for (std::size_t i = 0; i < result.rows(); ++i) {
    auto record = read_history_row(result, i);
    const auto due_at = result.timestamp(i, kHistoryColumns);
    if (record && due_at) {
      read.items.push_back({std::move(record->notification), *due_at});
    } else {
      ++read.unreadable;
    }
  }
  return read;
}

Expected<BacklogRead> read_page(const pg::Expected<pg::Result>& result, const BacklogPage& page) {
  if (!result) return fail(to_error(result.error()));
  BacklogRead read = read_rows(*result);
  if (result->rows() < static_cast<std::size_t>(page.limit)) return read;
  const std::size_t last = result->rows() - 1;
  const auto at = result->timestamp(last, kHistoryColumns);
  const auto id = result->uuid(last, kHistoryColumns + 1);
  if (!at || !id) return fail(Errc::corrupt, "a row of the backlog has no place");
  read.next = BacklogCursor{*at, base::NotificationId(*id)};
  return read;
}

pg::Params page_params(const BacklogPage& page) {
  pg::Params params;
  params.timestamp(page.after.at).id(page.after.id).timestamp(page.until).int64(page.limit);
  return params;
}

}  // namespace

async::Task<Expected<LedgerHorizon>> PgBacklog::horizon(base::Deadline deadline) {
  std::vector<pg::Query> queries;
  queries.push_back({kNow, {}});
  queries.push_back({kWriters, {}});
  const auto results = co_await pool_.transaction(std::move(queries), deadline);
  if (!results) co_return fail(to_error(results.error()));
  pg::Row clock((*results)[0], 0);
  pg::Row writers((*results)[1], 0);
  const base::WallTime now = clock.timestamp(0);
  const base::WallTime began = writers.maybe_timestamp(0).value_or(now);
  const std::int64_t hidden = writers.int64(1);
  if (clock.fault()) co_return fail(*clock.fault());
  if (writers.fault()) co_return fail(*writers.fault());
  if (hidden > 0) {
    co_return fail(Errc::permission_denied,
                   "a transaction that writes does not show when it began: grant the role "
                   "pg_read_all_stats, and leave track_activities on");
  }
  co_return LedgerHorizon{now, std::min(now, began) - kAppendWithin - kSettledMargin};
}

async::Task<Expected<BacklogRead>> PgBacklog::pending(BacklogPage page, base::Deadline deadline) {
  co_return read_page(co_await pool_.query({kPending, page_params(page)}, deadline), page);
}

async::Task<Expected<std::vector<BacklogItem>>> PgBacklog::pending_of(
    std::vector<base::NotificationId> ids, base::Deadline deadline) {
  if (ids.empty()) co_return std::vector<BacklogItem>();
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  const auto found = co_await pool_.query(
      {kPendingOf, ids_and_bounds(ids, [](base::NotificationId id) { return id; })}, deadline);
  if (!found) co_return fail(to_error(found.error()));
  co_return read_rows(*found).items;
}

async::Task<Expected<BacklogRead>> PgBacklog::due(BacklogPage page, base::Deadline deadline) {
  co_return read_page(co_await pool_.query({kDue, page_params(page)}, deadline), page);
}

}  // namespace notify::stores
