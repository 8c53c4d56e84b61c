#include "stores/pg_dead_letters.hpp"

#include <utility>

#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

/// What is looked at: a stretch of the history, whatever its status. $1 and $2 are where the page
/// before ended, $3 is the end, $4 how many.
#define NOTIFY_LOOKED_AT_BEGIN                                                \
  "WITH looked_at AS MATERIALIZED ("                                          \
  "SELECT h.id, h.created_at, h.user_id, h.notification_type, h.status, "     \
  "coalesce(h.expires_at, h.created_at + interval '24 hours') AS expires_at " \
  "FROM notification_history h "                                              \
  "WHERE h.created_at >= $1 AND (h.created_at, h.id) > ($1, $2) AND h.created_at < $3 "

/// Of these the dead letters that fit. The latest attempt at each device is its last word; an
/// attempt shares its notification's millisecond, so $11 and $12 are the bounds of the partitions.
/// The first row comes also when nothing fits: it tells how far this looked.
#define NOTIFY_LOOKED_AT_END                                                                     \
  "ORDER BY h.created_at, h.id LIMIT $4) "                                                       \
  "SELECT e.looked_at, e.last_id, d.id, d.user_id, d.notification_type, d.expires_at, "          \
  "d.provider, d.error_code, d.attempted_at, d.replayed_at, d.waits "                            \
  "FROM (SELECT count(*) AS looked_at, (SELECT id FROM looked_at "                               \
  "ORDER BY created_at DESC, id DESC LIMIT 1) AS last_id FROM looked_at) e "                     \
  "LEFT JOIN (SELECT s.*, w.provider, w.error_code, w.attempted_at, "                            \
  "(SELECT max(r.replayed_at) FROM replays r WHERE r.notification_id = s.id) AS replayed_at, "   \
  "EXISTS (SELECT FROM due WHERE due.notification_id = s.id) AS waits "                          \
  "FROM looked_at s CROSS JOIN LATERAL ("                                                        \
  "SELECT l.* FROM ((SELECT DISTINCT ON (a.device_id) a.provider, a.error_code, a.attempted_at " \
  "FROM delivery_attempts a WHERE a.notification_id = s.id AND a.id >= $11 AND a.id <= $12 "     \
  "ORDER BY a.device_id, a.retry_count DESC) "                                                   \
  "UNION ALL SELECT NULL, 'no device', NULL WHERE NOT EXISTS (SELECT FROM delivery_attempts a "  \
  "WHERE a.notification_id = s.id AND a.id >= $11 AND a.id <= $12)) l "                          \
  "WHERE ($8::text IS NULL OR l.provider = $8) AND ($9::text IS NULL OR l.error_code = $9) "     \
  "ORDER BY l.attempted_at DESC LIMIT 1) w "                                                     \
  "WHERE s.status = 'failed' AND ($6::text IS NULL OR s.notification_type = $6) "                \
  "AND ($7::uuid IS NULL OR s.user_id = $7) AND ($10::uuid IS NULL OR s.id = $10) "              \
  "ORDER BY s.created_at, s.id LIMIT $5) d ON TRUE ORDER BY d.created_at, d.id"

/// By primary key, from the cursor upwards; attempts by idx_delivery_attempts_notification_id, due
/// and replays by primary key, for the dead letters among them.
constexpr pg::Statement kFind = {"dead_letters_find", NOTIFY_LOOKED_AT_BEGIN NOTIFY_LOOKED_AT_END};

/// The same by idx_notification_history_user_id_created_at: a user's few instead of everybody's.
constexpr pg::Statement kFindOfUser = {
    "dead_letters_find_of_user", NOTIFY_LOOKED_AT_BEGIN "AND h.user_id = $7 " NOTIFY_LOOKED_AT_END};

/// All by primary key. The rows are locked before they are judged, so that an acceptance that is
/// being recorded meanwhile is seen. mine: what this job replayed when the batch ran before, and
/// its commit got no answer.
constexpr pg::Statement kReplay = {
    "dead_letters_replay",
    "WITH wanted AS MATERIALIZED ("
    "SELECT * FROM unnest($1::uuid[], $2::timestamp[], $3::timestamp[]) "
    "AS w (id, created_at, due_at)), "
    "mine AS MATERIALIZED ("
    "SELECT w.id FROM wanted w JOIN replays r ON r.notification_id = w.id AND r.job = $7), "
    "failed AS MATERIALIZED ("
    "SELECT h.id, h.created_at, w.due_at, $8::timestamp IS NOT NULL OR w.due_at < "
    "coalesce(h.expires_at, h.created_at + interval '24 hours') AS lives "
    "FROM notification_history h JOIN wanted w USING (created_at, id) "
    "WHERE h.created_at >= $4 AND h.created_at <= $5 AND h.status = 'failed' "
    "AND h.id NOT IN (SELECT id FROM mine) "
    "ORDER BY h.created_at, h.id FOR NO KEY UPDATE OF h), "
    "made_due AS ("
    "INSERT INTO due (notification_id, due_at, reason) "
    "SELECT id, due_at, 'replay' FROM failed WHERE lives "
    "ON CONFLICT (notification_id) DO NOTHING RETURNING notification_id), "
    "noted AS ("
    "INSERT INTO replays (notification_id, replayed_at, job) "
    "SELECT notification_id, $6, $7 FROM made_due ON CONFLICT DO NOTHING), "
    "extended AS ("
    "UPDATE notification_history h SET expires_at = $8 FROM failed f "
    "WHERE h.created_at = f.created_at AND h.id = f.id "
    "AND h.created_at >= $4 AND h.created_at <= $5 "
    "AND coalesce(h.expires_at, h.created_at + interval '24 hours') < $8 "
    "AND h.id IN (SELECT notification_id FROM made_due)) "
    "SELECT (SELECT count(*) FROM made_due) + (SELECT count(*) FROM mine), "
    "(SELECT count(*) FROM failed WHERE NOT lives), "
    "(SELECT count(*) FROM failed WHERE lives) - (SELECT count(*) FROM made_due), "
    "(SELECT count(*) FROM wanted) - (SELECT count(*) FROM mine) - (SELECT count(*) FROM failed)"};

pg::Params find_params(const DeadLetterFilter& filter, const DeadLetterStretch& stretch) {
  const base::WallTime from = stretch.after ? stretch.after->uuid().instant() : filter.from;
  pg::Params params;
  params.timestamp(from).id(stretch.after.value_or(base::NotificationId()));
  params.timestamp(filter.until).int64(stretch.looked_at_max).int64(stretch.limit);
  params.text(filter.type).id(filter.user).text(filter.provider).text(filter.error_code);
  params.id(filter.notification);
  params.uuid(base::uuid_v7_min(from)).uuid(base::uuid_v7_max(filter.until));
  return params;
}

pg::Params replay_params(const ReplayBatch& batch) {
  const std::size_t size = batch.items.size();
  pg::Array ids(pg::Type::uuid, size), created(pg::Type::timestamp, size),
      due_at(pg::Type::timestamp, size);
  for (const ReplayBatch::Item& item : batch.items) {
    ids.id(item.id);
    created.timestamp(item.id.uuid().instant());
    due_at.timestamp(item.due_at);
  }
  const Instants bounds = instants_of(batch.items, [](const auto& item) { return item.id; });
  pg::Params params;
  params.array(ids).array(created).array(due_at);
  params.timestamp(bounds.first).timestamp(bounds.last);
  params.timestamp(batch.replayed_at).id(batch.job).timestamp(batch.live_until);
  return params;
}

DeadLetter read_letter(pg::Row& row) {
  DeadLetter letter;
  letter.id = row.id<base::NotificationId>(2);
  letter.user = row.id<base::UserId>(3);
  letter.type = row.text(4);
  letter.expires_at = row.timestamp(5);
  letter.provider = row.maybe_text(6).value_or("");
  letter.error_code = row.maybe_text(7).value_or("");
  letter.attempted_at = row.maybe_timestamp(8);
  letter.replayed_at = row.maybe_timestamp(9);
  letter.waits = row.boolean(10);
  return letter;
}

}  // namespace

async::Task<Expected<DeadLetterPage>> PgDeadLetters::find(DeadLetterFilter filter,
                                                          DeadLetterStretch stretch,
                                                          base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  const pg::Statement& statement = filter.user ? kFindOfUser : kFind;
  const auto result = co_await pool_.query({statement, find_params(filter, stretch)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  DeadLetterPage page;
  std::optional<base::NotificationId> last;
  for (std::size_t i = 0; i < result->rows(); ++i) {
    pg::Row row(*result, i);
    page.looked_at = row.int64(0);
    last = row.maybe_id<base::NotificationId>(1);
    if (!row.is_null(2)) page.letters.push_back(read_letter(row));
    if (row.fault()) co_return fail(*row.fault());
  }
  if (page.letters.size() >= static_cast<std::size_t>(stretch.limit)) {
    page.next = page.letters.back().id;
  } else if (page.looked_at >= stretch.looked_at_max) {
    page.next = last;
  }
  co_return page;
}

async::Task<Expected<ReplayCounts>> PgDeadLetters::replay(ReplayBatch batch,
                                                          base::Deadline deadline) {
  if (batch.items.empty()) co_return ReplayCounts{};
  auto done = co_await pool_.query({kReplay, replay_params(batch)}, deadline);
  if (!done && (done.error().is_safe_to_retry() || done.error().outcome_unknown)) {
    done = co_await pool_.query({kReplay, replay_params(batch)}, deadline);
  }
  if (!done) co_return fail(to_error(done.error()));
  if (done->rows() != 1) co_return fail(Errc::corrupt, "a replay has an odd answer");
  pg::Row row(*done, 0);
  const ReplayCounts counts{row.int64(0), row.int64(1), row.int64(2), row.int64(3)};
  if (row.fault()) co_return fail(*row.fault());
  co_return counts;
}

}  // namespace notify::stores
