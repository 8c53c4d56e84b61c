#include "stores/pg_ledger.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "stores/pg_ledger_queries.hpp"
#include "stores/pg_ledger_sql.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

/// How far another node's clock may be ahead (D-5 allows two seconds).
constexpr std::chrono::seconds kClockAhead{5};

/// Nothing lives longer: scheduled 28 days ahead, quiet hours of a week, then 28 days.
constexpr std::chrono::days kWaitsMax{64};

using base::Errc;
using base::Expected;
using base::fail;

std::vector<Expected<async::Unit>> all_alike(std::size_t size,
                                             const Expected<async::Unit>& result) {
  return std::vector<Expected<async::Unit>>(size, result);
}

// What progress() asks, each an answer of its own. Statuses come first: of what has none, there is
// no row, and nothing else is told.

Expected<void> read_statuses(const pg::Result& statuses, Ledger::ProgressById& progress) {
  for (std::size_t i = 0; i < statuses.rows(); ++i) {
    pg::Row row(statuses, i);
    const auto id = row.id<base::NotificationId>(0);
    const auto status = rules::parse_status(row.text(1));
    const bool is_cancelled = row.boolean(3);
    if (row.fault() || !status) return fail(Errc::corrupt, "a history row has an odd status");
    progress[id].status = *status;
    progress[id].is_cancelled = is_cancelled;
  }
  return {};
}

Expected<void> read_attempts(const pg::Result& attempts, Ledger::ProgressById& progress) {
  for (std::size_t i = 0; i < attempts.rows(); ++i) {
    auto attempt = read_attempt_row(attempts, i);
    const auto id = attempts.uuid(i, 0);
    if (!attempt || !id) return fail(Errc::corrupt, "an attempt cannot be read");
    const auto found = progress.find(base::NotificationId(*id));
    if (found != progress.end()) found->second.attempts.push_back(std::move(*attempt));
  }
  return {};
}

Expected<void> read_replays(const pg::Result& replays, Ledger::ProgressById& progress) {
  for (std::size_t i = 0; i < replays.rows(); ++i) {
    pg::Row row(replays, i);
    const auto found = progress.find(row.id<base::NotificationId>(0));
    const base::WallTime at = row.timestamp(1);
    if (row.fault()) return fail(*row.fault());
    if (found != progress.end()) found->second.replayed_at = at;
  }
  return {};
}

Expected<void> read_superseded(const pg::Result& superseded, Ledger::ProgressById& progress) {
  for (std::size_t i = 0; i < superseded.rows(); ++i) {
    pg::Row row(superseded, i);
    const auto found = progress.find(row.id<base::NotificationId>(0));
    if (row.fault()) return fail(*row.fault());
    if (found != progress.end()) found->second.is_superseded = true;
  }
  return {};
}

Expected<void> read_groups(const pg::Result& groups, Ledger::ProgressById& progress) {
  for (std::size_t i = 0; i < groups.rows(); ++i) {
    pg::Row row(groups, i);
    const auto found = progress.find(row.id<base::NotificationId>(0));
    const std::int64_t older = row.int64(1);
    const bool has_newer = row.boolean(2);
    if (row.fault()) return fail(*row.fault());
    if (found == progress.end()) continue;
    found->second.group_size = static_cast<std::size_t>(older) + 1;
    if (has_newer) found->second.is_superseded = true;
  }
  return {};
}

}  // namespace

PgLedger::PgLedger(pg::Pool& intake, pg::Pool& pool, async::Timers& timers,
                   const PgLedgerOptions& options, const async::OnEscape& on_escape)
    : pool_(pool),
      timers_(timers),
      options_(options),
      appends_(intake, timers, options.append, on_escape),
      records_(timers, options.record, on_escape, [this](std::vector<DeliveryRecord> batch) {
        return record_batch(std::move(batch));
      }) {}

async::Task<void> PgLedger::stop() {
  co_await appends_.stop();
  co_await records_.stop();
}

async::Task<Expected<void>> PgLedger::record(DeliveryRecord record) {
  auto done = co_await records_.submit(std::move(record));
  if (!done) co_return fail(std::move(done).error());
  co_return Expected<void>();
}

async::Task<pg::Expected<std::vector<pg::Result>>> PgLedger::write(
    const std::vector<DeliveryRecord>& batch, base::Deadline deadline) {
  return pool_.transaction(record_queries(batch), deadline);
}

/// The second run finds and leaves as it is whatever the first one has committed. It writes to the
/// log all the same, so that its commit waits for a standby that the first one may have given up.
async::Task<pg::Expected<std::vector<pg::Result>>> PgLedger::write_again(
    const std::vector<DeliveryRecord>& batch) {
  std::vector<pg::Query> queries = record_queries(batch);
  queries.push_back({sql::kWriteToLog, {}});
  return pool_.transaction(std::move(queries), timers_.after(options_.write_timeout));
}

async::Task<PgLedger::Results> PgLedger::record_batch(std::vector<DeliveryRecord> batch) {
  // The results are all alike: the transaction is one.
  const std::size_t size = batch.size();
  const base::Deadline deadline = timers_.after(options_.write_timeout);
  auto written = co_await write(batch, deadline);
  if (!written && written.error().fault == pg::Fault::no_partition) {
    const base::WallTime instant = batch.front().notification.uuid().instant();
    if (co_await make_partitions(pool_, instant, timers_.after(options_.write_timeout))) {
      written = co_await write(batch, deadline);
    }
  }
  // Every statement is idempotent: what may or may not have been written is written again.
  if (!written && (written.error().is_safe_to_retry() || written.error().outcome_unknown)) {
    written = co_await write_again(batch);
  }
  if (!written && written.error().is_data_error() && size > 1) {
    // One bad record must fail its caller, not its company: each half is tried by itself.
    const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(size / 2);
    Results results = co_await record_batch({batch.begin(), middle});
    Results rest = co_await record_batch({middle, batch.end()});
    results.insert(results.end(), std::make_move_iterator(rest.begin()),
                   std::make_move_iterator(rest.end()));
    co_return results;
  }
  if (!written) co_return all_alike(size, fail(to_error(written.error())));
  co_return all_alike(size, async::Unit{});
}

async::Task<Expected<void>> PgLedger::release_deferred(base::UserId user, base::WallTime at,
                                                       base::Deadline deadline) {
  pg::Params params;
  params.id(user).timestamp(at).timestamp(at - kWaitsMax);
  const auto released = co_await pool_.query({sql::kReleaseDeferred, std::move(params)}, deadline);
  if (!released) co_return fail(to_error(released.error()));
  co_return Expected<void>();
}

async::Task<Expected<bool>> PgLedger::cancel(base::NotificationId id, base::WallTime at,
                                             std::string decision, base::Deadline deadline) {
  const auto which = [id] {
    pg::Params params;
    params.id(id).timestamp(id.uuid().instant());
    return params;
  };
  pg::Params cancel = which();
  cancel.text(base::to_rfc3339(at)).text(decision);
  std::vector<pg::Query> queries;
  queries.push_back({sql::kLockForCancel, which()});
  queries.push_back({sql::kCancel, std::move(cancel)});
  queries.push_back({sql::kDeleteDueOfCancelled, which()});
  queries.push_back({sql::kIsCancelled, which()});
  const auto results = co_await pool_.transaction(std::move(queries), deadline);
  if (!results) co_return fail(to_error(results.error()));
  const pg::Result& told = results->back();
  if (told.empty()) co_return false;
  pg::Row row(told, 0);
  const bool is_cancelled = row.boolean(0);
  if (row.fault()) co_return fail(*row.fault());
  co_return is_cancelled;
}

async::Task<Expected<void>> PgLedger::mark_retracted(std::vector<Marked> marks,
                                                     base::Deadline deadline) {
  if (marks.empty()) co_return Expected<void>();
  // Sorted: two calls lock the rows in the same order, so they cannot deadlock.
  std::sort(marks.begin(), marks.end(),
            [](const Marked& a, const Marked& b) { return a.notification < b.notification; });
  pg::Array values(pg::Type::jsonb, marks.size());
  for (const Marked& one : marks) values.json(rules::encode_mark(one.mark));
  pg::Params params = ids_and_bounds(marks, [](const Marked& one) { return one.notification; });
  params.array(values);
  const auto marked = co_await pool_.query({sql::kMarkRetracted, std::move(params)}, deadline);
  if (!marked) co_return fail(to_error(marked.error()));
  co_return Expected<void>();
}

async::Task<Expected<Ledger::ProgressById>> PgLedger::progress(
    std::vector<base::NotificationId> ids, base::Deadline deadline) {
  const auto itself = [](base::NotificationId id) { return id; };
  const Instants bounds = instants_of(ids, itself);
  pg::Array wanted(pg::Type::uuid, ids.size());
  for (const base::NotificationId id : ids) wanted.id(id);
  pg::Params attempts_of;
  attempts_of.array(wanted)
      .uuid(base::uuid_v7_min(bounds.first))
      .uuid(base::uuid_v7_max(bounds.last));
  std::vector<pg::Query> queries;
  queries.push_back({sql::kStatusOf, ids_and_bounds(ids, itself)});
  queries.push_back({sql::kAttemptsOf, std::move(attempts_of)});
  pg::Params replays_of;
  replays_of.array(wanted);
  queries.push_back({sql::kReplayedAt, std::move(replays_of)});
  const base::WallTime now = timers_.clock().now();
  for (const pg::Statement& of_newer : {sql::kSuperseded, sql::kGroups}) {
    pg::Params newer_than = ids_and_bounds(ids, itself);
    newer_than.timestamp(now + kClockAhead).timestamp(now);
    queries.push_back({of_newer, std::move(newer_than)});
  }
  const auto results = co_await pool_.transaction(std::move(queries), deadline);
  if (!results) co_return fail(to_error(results.error()));

  ProgressById progress;
  const auto& all = *results;
  for (const auto& read : {read_statuses(all[0], progress), read_attempts(all[1], progress),
                           read_replays(all[2], progress), read_superseded(all[3], progress),
                           read_groups(all[4], progress)}) {
    if (!read) co_return fail(read.error());
  }
  co_return progress;
}

}  // namespace notify::stores
