#include "stores/pg_upkeep.hpp"

#include <array>
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
/// token there is no row, and nothing is done.
#define NOTIFY_OFFICE \
  "WITH office AS MATERIALIZED (SELECT 1 FROM maintainer WHERE token = $1 FOR SHARE) "

constexpr pg::Statement kMakePartitions = {
    "upkeep_make_partitions", NOTIFY_OFFICE
    "SELECT ensure_partitions(date_trunc('month', now() AT TIME ZONE 'UTC')::date, 4)::bigint FROM "
    "office"};

constexpr pg::Statement kBeginRetention = {
    "upkeep_begin_retention", NOTIFY_OFFICE
    "SELECT r.at, r.seconds_apart FROM office LEFT JOIN LATERAL retention_begin($2) r ON true"};

constexpr pg::Statement kNextStep = {
    "upkeep_next_step", NOTIFY_OFFICE
    "SELECT r.partition, r.statement FROM office LEFT JOIN LATERAL "
    "retention_next($2, $3, $4 * interval '1 millisecond') r ON true"};

constexpr pg::Statement kDrop = {"upkeep_drop",
                                 NOTIFY_OFFICE "SELECT retention_drop($2, $3) FROM office"};

/// By primary key, which begins with the id and so with the time of the notification.
constexpr pg::Statement kDeleteReplays = {
    "upkeep_delete_replays", NOTIFY_OFFICE
    ", old AS (SELECT notification_id, replayed_at FROM replays "
    "WHERE notification_id < uuid_v7_lower_bound($2::timestamp AT TIME ZONE 'UTC') "
    "AND replayed_at < $2 ORDER BY 1, 2 LIMIT $3), "
    "gone AS (DELETE FROM replays r USING old, office WHERE r.notification_id = "
    "old.notification_id AND r.replayed_at = old.replayed_at RETURNING 1) "
    "SELECT (SELECT count(*) FROM gone) FROM office"};

/// By primary key: rows whose notification is gone with its partition.
constexpr pg::Statement kDeleteDue = {
    "upkeep_delete_due", NOTIFY_OFFICE
    ", kept AS (SELECT min(lower_at) AS since FROM partition_ranges "
    "WHERE parent = 'notification_history' AND NOT detach_pending), "
    "old AS (SELECT notification_id FROM due WHERE notification_id < "
    "uuid_v7_lower_bound((SELECT least(since, $2) FROM kept) AT TIME ZONE 'UTC') "
    "ORDER BY 1 LIMIT $3), "
    "gone AS (DELETE FROM due d USING old, office "
    "WHERE d.notification_id = old.notification_id RETURNING 1) "
    "SELECT (SELECT count(*) FROM gone) FROM office"};

base::Error not_in_office() { return {Errc::conflict, "another node was elected since"}; }

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
  if (result->rows() != 1) co_return fail(not_in_office());
  const auto made = result->int64(0, 0);
  if (!made) co_return fail(made.error());
  co_return static_cast<std::size_t>(*made);
}

async::Task<Expected<base::WallTime>> PgUpkeep::begin_retention(FencingToken token,
                                                                base::Deadline deadline) {
  pg::Params params;
  params.int64(token.value).timestamp(timers_.clock().now());
  const auto result = co_await pool_.query({kBeginRetention, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return fail(not_in_office());
  pg::Row row(*result, 0);
  const auto at = row.maybe_timestamp(0);
  const std::int64_t seconds_apart = row.int64(1);
  if (row.fault()) co_return fail(*row.fault());
  if (!at) {
    co_return fail(Errc::invalid, "the clocks of this node and of PostgreSQL are " +
                                      std::to_string(seconds_apart) +
                                      " s apart: nothing is deleted until both are right");
  }
  co_return *at;
}

async::Task<Expected<PgUpkeep::Step>> PgUpkeep::next_step(FencingToken token, Table table,
                                                          base::WallTime at,
                                                          base::Deadline deadline) {
  pg::Params params;
  params.int64(token.value).text(table.name).timestamp(at).int64(table.keep.count());
  const auto result = co_await pool_.query({kNextStep, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return fail(not_in_office());
  pg::Row row(*result, 0);
  Step next{std::string(row.maybe_text(0).value_or("")),
            std::string(row.maybe_text(1).value_or(""))};
  if (row.fault()) co_return fail(*row.fault());
  co_return next;
}

async::Task<Expected<void>> PgUpkeep::drop(FencingToken token, std::string_view table,
                                           std::string_view partition, base::Deadline deadline) {
  pg::Params params;
  params.int64(token.value).text(table).text(partition);
  const auto result = co_await pool_.query({kDrop, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return fail(not_in_office());
  const auto dropped = result->boolean(0, 0);
  if (!dropped) co_return fail(dropped.error());
  if (!*dropped) co_return fail(Errc::conflict, "a table to be dropped is a partition again");
  if (options_.on_dropped) options_.on_dropped(partition);
  co_return Expected<void>();
}

/// The token is looked at before each statement that detaches, and again before the drop.
async::Task<Expected<std::size_t>> PgUpkeep::retire_partitions(FencingToken token, Table table,
                                                               base::WallTime at,
                                                               base::Deadline deadline) {
  for (std::size_t dropped = 0;;) {
    const auto next = co_await next_step(token, table, at, step(deadline));
    if (!next) co_return fail(next.error());
    if (next->partition.empty()) co_return dropped;
    if (!next->detach.empty()) {
      const auto cut_off = co_await pool_.run_made_sql(next->detach, step(deadline));
      if (!cut_off) co_return fail(to_error(cut_off.error()));
      continue;
    }
    const auto gone = co_await drop(token, table.name, next->partition, step(deadline));
    if (!gone) co_return fail(gone.error());
    ++dropped;
  }
}

async::Task<Expected<std::size_t>> PgUpkeep::delete_rows(pg::Statement statement,
                                                         FencingToken token, base::WallTime before,
                                                         base::Deadline deadline) {
  for (std::size_t deleted = 0;;) {
    pg::Params params;
    params.int64(token.value).timestamp(before).int64(options_.delete_max);
    const auto result = co_await pool_.query({statement, std::move(params)}, step(deadline));
    if (!result) co_return fail(to_error(result.error()));
    if (result->empty()) co_return fail(not_in_office());
    const auto count = result->int64(0, 0);
    if (!count) co_return fail(count.error());
    deleted += static_cast<std::size_t>(*count);
    if (*count < options_.delete_max) co_return deleted;
  }
}

async::Task<Expected<std::size_t>> PgUpkeep::retire(FencingToken token, base::Deadline deadline) {
  const auto at = co_await begin_retention(token, step(deadline));
  if (!at) co_return fail(at.error());
  std::size_t gone = 0;
  std::optional<base::Error> failure;
  const auto note = [&](const Expected<std::size_t>& result) {
    if (result) gone += *result;
    if (!result && !failure) failure = result.error();
  };
  const Retention& keep = options_.retention;
  const std::array<Table, 5> tables{{{"idempotency_keys", keep.idempotency_keys},
                                     {"delivery_attempts", keep.attempts},
                                     {"notification_interactions", keep.interactions},
                                     {"notification_history", keep.history},
                                     {"audit_log", keep.audit}}};
  for (const Table& table : tables) {
    note(co_await retire_partitions(token, table, *at, deadline));
  }
  note(co_await delete_rows(kDeleteReplays, token, *at - keep.replays, deadline));
  note(co_await delete_rows(kDeleteDue, token, *at - keep.history, deadline));
  if (!failure && *at < timers_.clock().now() - std::chrono::days(1)) {
    failure = {Errc::unavailable,
               "the clock has moved on by more than a day since the last run: "
               "retention follows it by a day a run"};
  }
  if (failure) co_return fail(*failure);
  co_return gone;
}

}  // namespace notify::stores
