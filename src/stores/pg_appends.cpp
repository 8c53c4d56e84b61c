#include "stores/pg_appends.hpp"

#include <iterator>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "stores/pg_ledger_queries.hpp"
#include "stores/pg_ledger_sql.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using rules::Notification;
using Results = PgAppends::Results;

/// How often a key that was taken while its batch ran is looked for.
constexpr int kLooksMax = 3;

Results all_alike(std::size_t size, const base::Error& error) {
  return Results(size, Expected<Appended>(fail(error)));
}

base::Error no_answer() { return {Errc::timed_out, "a commit got no answer, and its keys none"}; }

Appended accepted(const Submission& submission) {
  const Notification& n = submission.notification;
  return {n.id, n.expires_at, submission.status, false};
}

}  // namespace

/// A submission that did not go in, because its key stands for `first`.
struct PgAppends::Repeat {
  std::size_t index;  ///< in the batch
  base::NotificationId first;
};

PgAppends::PgAppends(pg::Pool& pool, async::Timers& timers, const PgAppendOptions& options,
                     const async::OnEscape& on_escape)
    : pool_(pool),
      timers_(timers),
      options_(options),
      batches_(timers, options.batches, on_escape, [this](std::vector<Submission> batch) {
        return append_batch(std::move(batch), {.looks_left = kLooksMax});
      }) {}

async::Task<Results> PgAppends::append_batch(std::vector<Submission> batch, Tries tries) {
  if (pool_.connected() == 0) {
    co_return all_alike(batch.size(), no_connection());
  }
  auto written = co_await write(batch, tries);
  if (written) co_return co_await settle(std::move(batch), std::move(*written), tries);
  const pg::QueryError& error = written.error();
  if (error.is_data_error() && batch.size() > 1)
    co_return co_await append_halves(std::move(batch), tries);
  base::Error why = error.error;
  if (error.is_data_error()) why.code = Errc::invalid;
  if (tries.may_be_written) why = no_answer();
  co_return all_alike(batch.size(), why);
}

/// Runs it, and runs it again where that can help.
/// Lifetime: both are in the caller's frame.
async::Task<pg::Expected<pg::Result>> PgAppends::write(const std::vector<Submission>& batch,
                                                       Tries& tries) {
  auto written = co_await run(batch, timers_.after(options_.write_timeout));
  if (!written && written.error().fault == pg::Fault::no_partition) {
    // The maintainer should have made it; the writer that misses it makes it.
    const base::WallTime instant = batch.front().notification.created_at();
    if (co_await make_partitions(pool_, instant, timers_.after(options_.write_timeout))) {
      written = co_await run(batch, timers_.after(options_.write_timeout));
    }
  }
  if (written) co_return written;
  // What this run may have committed does not become unwritten by a second one that fails.
  const bool unknown = written.error().outcome_unknown;
  tries.may_be_written = tries.may_be_written || unknown;
  if (!unknown && !written.error().is_safe_to_retry()) co_return written;
  auto again = co_await run(
      batch, timers_.after(unknown ? options_.look_up_timeout : options_.write_timeout));
  if (!again && again.error().outcome_unknown) tries.may_be_written = true;
  co_return again;
}

async::Task<pg::Expected<pg::Result>> PgAppends::run(const std::vector<Submission>& batch,
                                                     base::Deadline deadline) {
  return pool_.query(append_query(batch), deadline);
}

/// Tells apart what went in, repeats, clashes and what is too late; `left_out` are the rows that
/// kAppend returned.
async::Task<Results> PgAppends::settle(std::vector<Submission> batch, pg::Result left_out,
                                       Tries tries) {
  Results results;
  results.reserve(batch.size());
  for (const Submission& submission : batch) results.emplace_back(accepted(submission));
  std::vector<std::size_t> taken;
  std::unordered_set<std::size_t> late;
  for (std::size_t i = 0; i < left_out.rows(); ++i) {
    pg::Row row(left_out, i);
    const auto index = static_cast<std::size_t>(row.int64(0)) - 1;
    const bool is_late = row.boolean(1);
    if (row.fault() || index >= batch.size()) {
      co_return all_alike(batch.size(), {Errc::corrupt, "an append has an odd answer"});
    }
    taken.push_back(index);
    if (is_late) late.insert(index);
  }
  if (taken.empty()) co_return results;
  co_await ask_holders(batch, taken, results);
  for (const std::size_t index : taken) {
    // An earlier run that got no answer may have been in time, and be committed later.
    if (late.contains(index))
      results[index] = fail(tries.may_be_written ? no_answer() : not_within());
  }
  std::erase_if(taken, [&late](std::size_t index) { return late.contains(index); });
  if (!taken.empty()) {
    std::vector<Submission> again;
    again.reserve(taken.size());
    for (const std::size_t index : taken) again.push_back(std::move(batch[index]));
    --tries.looks_left;
    co_await append_again(std::move(again), std::move(taken), results, tries);
  }
  co_return results;
}

/// Answers those whose key somebody holds; leaves in `taken` those whose holder has vanished.
/// Lifetime: all three are in the caller's frame.
async::Task<void> PgAppends::ask_holders(const std::vector<Submission>& batch,
                                         std::vector<std::size_t>& taken, Results& results) {
  const auto holders =
      co_await pool_.query(find_keys_query(batch, taken), timers_.after(options_.write_timeout));
  if (!holders) {
    // Not "unavailable", which says that nothing was written: it may be their own earlier run that
    // holds their keys.
    const base::Error why{Errc::timed_out, "who holds a key could not be found out"};
    for (const std::size_t index : taken) results[index] = fail(why);
    taken.clear();
    co_return;
  }
  std::vector<Repeat> repeats;
  std::vector<bool> is_held(taken.size());
  for (std::size_t i = 0; i < holders->rows(); ++i) {
    pg::Row row(*holders, i);
    const auto place = static_cast<std::size_t>(row.int64(0)) - 1;
    const auto first = row.id<base::NotificationId>(1);
    const bool same = row.boolean(2);
    if (row.fault() || place >= taken.size()) continue;  // as one that is not held
    is_held[place] = true;
    const std::size_t index = taken[place];
    if (!same && batch[index].idempotency.is_explicit) {
      results[index] = fail(Errc::already_exists, "the idempotency key stands for another request");
    } else if (first != batch[index].notification.id) {  // else: from an earlier run of this batch
      repeats.push_back({index, first});
    }
  }
  std::vector<std::size_t> vanished;
  for (std::size_t place = 0; place < taken.size(); ++place) {
    if (!is_held[place]) vanished.push_back(taken[place]);
  }
  taken = std::move(vanished);
  if (!repeats.empty()) co_await tell_repeats(std::move(repeats), results);
}

async::Task<Results> PgAppends::find_repeats(std::vector<Submission> submissions) {
  if (pool_.connected() == 0) co_return all_alike(submissions.size(), no_connection());
  Results results = all_alike(submissions.size(), {Errc::not_found, "it was not accepted"});
  std::vector<std::size_t> asked(submissions.size());
  std::iota(asked.begin(), asked.end(), 0);
  co_await ask_holders(submissions, asked, results);
  co_return results;
}

/// A repeat is told what stands in the ledger now.
async::Task<void> PgAppends::tell_repeats(std::vector<Repeat> repeats, Results& results) {
  std::vector<base::NotificationId> ids;
  ids.reserve(repeats.size());
  for (const Repeat& repeat : repeats) ids.push_back(repeat.first);
  const auto found = co_await pool_.query(
      {sql::kStatusOf, ids_and_bounds(ids, [](base::NotificationId id) { return id; })},
      timers_.after(options_.write_timeout));
  std::unordered_map<base::NotificationId, Appended> known;
  for (std::size_t i = 0; found && i < found->rows(); ++i) {
    pg::Row row(*found, i);
    const auto id = row.id<base::NotificationId>(0);
    const auto status = rules::parse_status(row.text(1));
    const base::WallTime expires_at = row.timestamp(2);
    if (!row.fault() && status) known[id] = {id, expires_at, *status, true};
  }
  for (const Repeat& repeat : repeats) {
    const auto first = known.find(repeat.first);
    if (first != known.end()) {
      results[repeat.index] = first->second;
    } else if (!found) {
      results[repeat.index] = fail(to_error(found.error()));
    } else {
      results[repeat.index] =
          fail(Errc::corrupt, "a key stands for a notification that is not there");
    }
  }
}

/// Their keys were held while the batch ran, and are free now or held out of sight.
async::Task<void> PgAppends::append_again(std::vector<Submission> taken,
                                          std::vector<std::size_t> indices, Results& results,
                                          Tries tries) {
  if (tries.looks_left == 0) {
    const base::Error why{Errc::unavailable, "a key is taken by a request that cannot be seen yet"};
    for (const std::size_t index : indices) results[index] = fail(why);
    co_return;
  }
  Results second = co_await append_batch(std::move(taken), tries);
  for (std::size_t i = 0; i < indices.size(); ++i) results[indices[i]] = std::move(second[i]);
}

/// One bad row must fail its caller, not its company: each half is tried by itself.
async::Task<Results> PgAppends::append_halves(std::vector<Submission> batch, Tries tries) {
  const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
  std::vector<Submission> first(std::make_move_iterator(batch.begin()),
                                std::make_move_iterator(middle));
  std::vector<Submission> second(std::make_move_iterator(middle),
                                 std::make_move_iterator(batch.end()));
  Results results = co_await append_batch(std::move(first), tries);
  Results rest = co_await append_batch(std::move(second), tries);
  results.insert(results.end(), std::make_move_iterator(rest.begin()),
                 std::make_move_iterator(rest.end()));
  co_return results;
}

async::Task<bool> make_partitions(pg::Pool& pool, base::WallTime instant, base::Deadline deadline) {
  pg::Params params;
  params.timestamp(instant);
  const auto made = co_await pool.query({sql::kEnsurePartitions, std::move(params)}, deadline);
  co_return made.has_value();
}

}  // namespace notify::stores
