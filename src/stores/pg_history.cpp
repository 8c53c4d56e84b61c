#include "stores/pg_history.hpp"

#include <utility>

#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

/// How far a clock may be ahead.
constexpr std::chrono::minutes kAheadMax{5};

/// By primary key.
constexpr pg::Statement kFindOne = {"history_find", "SELECT " NOTIFY_HISTORY_COLUMNS
                                                    " FROM notification_history h "
                                                    "WHERE h.created_at = $1 AND h.id = $2"};

/// By the attempts' primary key: they share their notification's millisecond (D-4).
constexpr pg::Statement kAttempts = {"history_attempts",
                                     "SELECT " NOTIFY_ATTEMPT_COLUMNS
                                     " FROM delivery_attempts a WHERE a.notification_id = $1 "
                                     "AND a.id >= $2 AND a.id <= $3 "
                                     "ORDER BY a.attempted_at, a.id"};

/// By primary key.
constexpr pg::Statement kDueOf = {
    "history_due", "SELECT due_at, reason, detail FROM due WHERE notification_id = $1"};

/// By primary key.
constexpr pg::Statement kReplaysOf = {
    "history_replays",
    "SELECT replayed_at, job FROM replays WHERE notification_id = $1 ORDER BY replayed_at"};

/// idx_notification_history_user_id_created_at, from the cursor downwards. `created_at >= $4` keeps
/// partitions that wait to be dropped out.
constexpr pg::Statement kList = {"history_list",
                                 "SELECT " NOTIFY_HISTORY_COLUMNS
                                 " FROM notification_history h WHERE h.user_id = $1 "
                                 "AND h.created_at <= $2 AND (h.created_at, h.id) < ($2, $3) "
                                 "AND h.created_at >= $4 "
                                 "ORDER BY h.created_at DESC, h.id DESC LIMIT $5"};

/// idx_notification_history_user_id_created_at: the newest 2,000 of the user, then a filter. So the
/// cost is bounded without an index that each insert would pay for.
#define NOTIFY_NEWEST_OF_SCOPE                                                  \
  "FROM (SELECT * FROM notification_history r WHERE r.user_id = $1 "            \
  "AND r.created_at >= $2 ORDER BY r.created_at DESC, r.id DESC LIMIT 2000) h " \
  "WHERE ($3::uuid IS NULL OR h.conversation_id = $3) "                         \
  "AND ($4::uuid IS NULL OR h.message_id = $4) AND NOT h.payload ? 'retracts' "

/// A cancelled one may still be with a worker, so it counts as waiting until it is marked.
constexpr pg::Statement kRetractable = {
    "history_retractable",
    "SELECT " NOTIFY_HISTORY_COLUMNS
    ", h.status IN ('pending', 'deferred') "
    "OR coalesce(h.metadata ? 'cancelled_at', false) "
    "OR EXISTS (SELECT FROM due d WHERE d.notification_id = h.id) " NOTIFY_NEWEST_OF_SCOPE
    "AND h.status <> 'suppressed' AND NOT h.metadata ? 'retracted' "
    "AND ($5::timestamp IS NULL OR (h.created_at, h.id) <= ($5, $6::uuid)) "
    "ORDER BY h.created_at DESC, h.id DESC LIMIT $7"};
constexpr pg::Statement kNewestOf = {"history_newest_of",
                                     "SELECT h.id " NOTIFY_NEWEST_OF_SCOPE
                                     "ORDER BY h.created_at DESC, h.id DESC LIMIT 1"};
#undef NOTIFY_NEWEST_OF_SCOPE

}  // namespace

async::Task<Expected<Story>> PgHistory::find(base::NotificationId id, base::Deadline deadline) {
  const base::WallTime created_at = id.uuid().instant();
  const base::WallTime now = clock_.now();
  const bool plausible =
      id.uuid().is_v7() && created_at >= now - kept_ && created_at <= now + kAheadMax;
  if (!plausible) co_return fail(Errc::not_found, "no notification can have this id");

  if (pools_.urgent.connected() == 0) co_return fail(no_connection());
  std::vector<pg::Query> queries;
  queries.push_back({kFindOne, std::move(pg::Params().timestamp(created_at).id(id))});
  queries.push_back({kAttempts, std::move(pg::Params()
                                              .id(id)
                                              .uuid(base::uuid_v7_min(created_at))
                                              .uuid(base::uuid_v7_max(created_at)))});
  queries.push_back({kDueOf, std::move(pg::Params().id(id))});
  queries.push_back({kReplaysOf, std::move(pg::Params().id(id))});
  const auto results = co_await pools_.urgent.transaction(std::move(queries), deadline);
  if (!results) co_return fail(to_error(results.error()));
  if ((*results)[0].empty()) co_return fail(Errc::not_found, "there is no such notification");

  auto record = read_history_row((*results)[0], 0);
  if (!record) co_return fail(std::move(record).error());
  Story story{std::move(*record), {}, {}, {}};
  for (std::size_t i = 0; i < (*results)[1].rows(); ++i) {
    auto attempt = read_attempt_row((*results)[1], i);
    if (!attempt) co_return fail(std::move(attempt).error());
    story.attempts.push_back(std::move(*attempt));
  }
  if (!(*results)[2].empty()) {
    pg::Row row((*results)[2], 0);
    Due due{row.timestamp(0), DueReason::retry, std::string(row.maybe_text(2).value_or(""))};
    const auto reason = parse_due_reason(row.text(1));
    if (row.fault() || !reason) co_return fail(Errc::corrupt, "a due row cannot be read");
    due.reason = *reason;
    story.due = std::move(due);
  }
  for (std::size_t i = 0; i < (*results)[3].rows(); ++i) {
    pg::Row row((*results)[3], i);
    story.replays.push_back({row.timestamp(0), row.id<base::ReplayJobId>(1)});
    if (row.fault()) co_return fail(*row.fault());
  }
  co_return story;
}

async::Task<Expected<std::vector<HistoryRecord>>> PgHistory::list(
    base::UserId user, std::optional<base::NotificationId> before, std::int32_t limit,
    base::Deadline deadline) {
  if (pools_.heavy.connected() == 0) co_return fail(no_connection());
  const base::WallTime now = clock_.now();
  const base::NotificationId newest(base::uuid_v7_max(now + kAheadMax));
  const base::NotificationId cursor = before.value_or(newest);
  pg::Params params;
  params.id(user).timestamp(cursor.uuid().instant()).id(cursor).timestamp(now - kept_).int64(limit);
  const auto result = co_await pools_.heavy.query({kList, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  std::vector<HistoryRecord> records;
  for (std::size_t i = 0; i < result->rows(); ++i) {
    auto record = read_history_row(*result, i);
    if (!record) co_return fail(std::move(record).error());
    records.push_back(std::move(*record));
  }
  co_return records;
}

pg::Params PgHistory::params_of(const RetractionScope& scope) const {
  pg::Params params;
  params.id(scope.user).timestamp(clock_.now() - kept_);
  params.id(scope.conversation).id(scope.message);
  return params;
}

async::Task<Expected<std::vector<Retractable>>> PgHistory::retractable(RetractionScope scope,
                                                                       std::int32_t limit,
                                                                       base::Deadline deadline) {
  if (pools_.heavy.connected() == 0) co_return fail(no_connection());
  pg::Params params = params_of(scope);
  std::optional<base::WallTime> up_to;
  if (scope.up_to) up_to = scope.up_to->uuid().instant();
  params.timestamp(up_to).id(scope.up_to).int64(limit);
  const auto result = co_await pools_.heavy.query({kRetractable, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  std::vector<Retractable> found;
  for (std::size_t i = 0; i < result->rows(); ++i) {
    auto record = read_history_row(*result, i);
    if (!record) continue;  // one bad row must not keep the others on the screen
    pg::Row row(*result, i);
    found.push_back({std::move(*record), row.boolean(kHistoryColumns)});
    if (row.fault()) co_return fail(*row.fault());
  }
  co_return found;
}

async::Task<Expected<base::NotificationId>> PgHistory::newest_of(RetractionScope scope,
                                                                 base::Deadline deadline) {
  if (pools_.heavy.connected() == 0) co_return fail(no_connection());
  const auto result = co_await pools_.heavy.query({kNewestOf, params_of(scope)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return fail(Errc::not_found, "no notification is about this message");
  pg::Row row(*result, 0);
  const auto id = row.id<base::NotificationId>(0);
  if (row.fault()) co_return fail(*row.fault());
  co_return id;
}

}  // namespace notify::stores
