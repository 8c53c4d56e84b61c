#pragma once
// The ledger's SQL. Each statement names the index it relies on, and passes the bounds of a batch,
// so that the plan touches the partitions concerned and no other.

#include "storage/pg/query.hpp"
#include "stores/ledger.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores::sql {

/// How far a notification's creation may be from the database's now.
#define NOTIFY_APPEND_BOUNDS                        \
  "(SELECT now - interval '5 seconds' FROM clock) " \
  "AND (SELECT now + interval '5 seconds' FROM clock) "
static_assert(kAppendWithin == std::chrono::seconds(5));

/// Idempotency and history in one statement; why it is built so: db/deploy/idempotency_keys.sql.
/// Returns the places in the batch of those that did not go in, and whether that is for their age;
/// else their key is taken, and kFindKeys tells by whom.
///
/// - clock: CASE gives the transaction its number before it reads the clock, so that horizon() sees
///   the transaction before any row is checked (ADR 0014).
/// - fresh: each of the days before costs one probe of its unique index; the subquery with LIMIT
///   keeps the plan to that. The row's own day is not asked: there the insert conflicts.
/// - guarded: what begins within five minutes after midnight also takes its key in the day that
///   ends, unless a request older than 24 hours still holds it there (then whoever came before
///   midnight is a repeat of that one). In the order of the keys, so that two batches cannot
///   deadlock.
/// - keyed: what is left is in nobody's hands.
///
/// The columns of a row that only history wants are unpacked once, and streamed: unnest() in the
/// select list, unlike in FROM, makes no copy of them. IS TRUE keeps IN a hashed lookup; as a join
/// it is planned for a few rows and compares each with each. Made for a generic plan: to plan a
/// small batch costs more than to run it.
#define NOTIFY_APPEND_WRITES                                                                 \
  "WITH clock AS MATERIALIZED ("                                                             \
  "SELECT CASE WHEN pg_current_xact_id() IS NOT NULL "                                       \
  "THEN clock_timestamp() AT TIME ZONE 'UTC' END AS now), "                                  \
  "fresh AS MATERIALIZED ("                                                                  \
  "SELECT w.*, w.created_at < date_trunc('day', w.created_at) + interval '5 minutes' "       \
  "AND NOT EXISTS (SELECT FROM idempotency_keys i "                                          \
  "WHERE i.caller = w.caller AND i.key_hash = w.key_hash "                                   \
  "AND i.created_at > $7::timestamp - interval '24 hours' "                                  \
  "AND i.created_at <= w.created_at - interval '24 hours') AS to_guard "                     \
  "FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::timestamp[]) AS created_at, "           \
  "unnest($3::text[]) AS caller, unnest($4::bytea[]) AS key_hash, "                          \
  "unnest($5::bytea[]) AS request_hash, unnest($6::boolean[]) AS explicit) w "               \
  "WHERE w.created_at BETWEEN " NOTIFY_APPEND_BOUNDS                                         \
  "AND (SELECT i.notification_id FROM idempotency_keys i "                                   \
  "WHERE i.caller = w.caller AND i.key_hash = w.key_hash "                                   \
  "AND i.created_at > $7 AND i.created_at < $8 "                                             \
  "AND i.created_at > w.created_at - interval '24 hours' LIMIT 1) IS NULL), "                \
  "guarded AS ("                                                                             \
  "INSERT INTO idempotency_keys "                                                            \
  "(caller, key_hash, request_hash, explicit, notification_id, created_at) "                 \
  "SELECT caller, key_hash, request_hash, explicit, id, "                                    \
  "date_trunc('day', created_at) - interval '1 microsecond' FROM fresh WHERE to_guard "      \
  "ORDER BY caller, key_hash ON CONFLICT DO NOTHING RETURNING notification_id), "            \
  "keyed AS ("                                                                               \
  "INSERT INTO idempotency_keys "                                                            \
  "(caller, key_hash, request_hash, explicit, notification_id, created_at) "                 \
  "SELECT caller, key_hash, request_hash, explicit, id, created_at FROM fresh "              \
  "WHERE NOT to_guard OR id IN (SELECT notification_id FROM guarded) "                       \
  "ORDER BY caller, key_hash ON CONFLICT DO NOTHING RETURNING notification_id), "            \
  "written AS ("                                                                             \
  "INSERT INTO notification_history (id, created_at, user_id, conversation_id, message_id, " \
  "notification_type, title, body, payload, metadata, status, priority, expires_at) "        \
  "SELECT w.* FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::timestamp[]), "              \
  "unnest($9::uuid[]), unnest($10::uuid[]), unnest($11::uuid[]), unnest($12::text[]), "      \
  "unnest($13::text[]), unnest($14::text[]), unnest($15::jsonb[]), unnest($16::jsonb[]), "   \
  "unnest($17::text[]), unnest($18::text[]), unnest($19::timestamp[])) w "                   \
  "WHERE (w.id IN (SELECT notification_id FROM keyed)) IS TRUE)"
#define NOTIFY_APPEND_LEFT_OUT                                   \
  "SELECT w.ord, w.created_at NOT BETWEEN " NOTIFY_APPEND_BOUNDS \
  "FROM unnest($1::uuid[], $2::timestamp[]) "                    \
  "WITH ORDINALITY AS w (id, created_at, ord) "                  \
  "WHERE (w.id IN (SELECT notification_id FROM keyed)) IS NOT TRUE ORDER BY w.ord"
inline constexpr pg::Statement kAppend = {"ledger_append",
                                          NOTIFY_APPEND_WRITES " " NOTIFY_APPEND_LEFT_OUT};

/// The same for a batch of which some wait: $20 and $21 are when they are due, and why.
inline constexpr pg::Statement kAppendWithDue = {
    "ledger_append_with_due", NOTIFY_APPEND_WRITES
    ", waiting AS ("
    "INSERT INTO due (notification_id, due_at, reason) "
    "SELECT d.* FROM (SELECT unnest($1::uuid[]) AS id, unnest($20::timestamp[]) AS due_at, "
    "unnest($21::text[])) d "
    "WHERE d.due_at IS NOT NULL AND (d.id IN (SELECT notification_id FROM keyed)) IS TRUE "
    "ON CONFLICT DO NOTHING) " NOTIFY_APPEND_LEFT_OUT};

/// Who holds keys: the place in the batch, the notification of the earlier request, and whether the
/// requests are the same; no row for a key that nobody holds. If there is a row, the transaction
/// writes to the log, so that its commit waits for a synchronous standby. An earlier commit that
/// was cancelled while it waited may stand on this server alone (ADR 0014). By the unique index of
/// each day between the bounds; LATERAL with LIMIT keeps the plan to one probe a row and day.
/// Newest first: a guard row without its notification, which a clock five minutes off can leave, is
/// never preferred to a real one.
inline constexpr pg::Statement kFindKeys = {
    "ledger_find_keys",
    "SELECT w.ord, k.notification_id, k.request_hash = w.request_hash, "
    "(SELECT pg_logical_emit_message(true, 'notification-service', '')) "
    "FROM unnest($1::timestamp[], $2::text[], $3::bytea[], $4::bytea[]) WITH ORDINALITY "
    "AS w (created_at, caller, key_hash, request_hash, ord) "
    "CROSS JOIN LATERAL (SELECT i.notification_id, i.request_hash "
    "FROM idempotency_keys i WHERE i.caller = w.caller AND i.key_hash = w.key_hash "
    "AND i.created_at > $5 AND i.created_at < $6 "
    "AND i.created_at > w.created_at - interval '24 hours' "
    "ORDER BY i.created_at DESC LIMIT 1) k ORDER BY w.ord"};

/// A transaction that writes nothing else commits as one that does: it waits for a synchronous
/// standby, which then has all that was committed before.
inline constexpr pg::Statement kWriteToLog = {
    "ledger_write_to_log", "SELECT pg_logical_emit_message(true, 'notification-service', '')"};

/// The id of an attempt is made of its content, so a repeat finds the row there. Of two outcomes of
/// one try, as of a node that came back after its work was taken over, the last word stands, and an
/// acceptance above all. No id may stand twice in one batch.
inline constexpr pg::Statement kInsertAttempts = {
    "ledger_insert_attempts",
    "INSERT INTO delivery_attempts AS old (id, notification_id, device_id, status, error_code, "
    "error_message, retry_count, attempted_at, next_retry_at, provider) "
    "SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), "
    "unnest($5::text[]), unnest($6::text[]), unnest($7::integer[]), unnest($8::timestamp[]), "
    "unnest($9::timestamp[]), unnest($10::text[]) "
    "ON CONFLICT (id) DO UPDATE SET status = excluded.status, error_code = excluded.error_code, "
    "error_message = excluded.error_message, attempted_at = excluded.attempted_at, "
    "next_retry_at = excluded.next_retry_at "
    "WHERE old.status <> 'delivered' AND (excluded.status = 'delivered' "
    "OR (excluded.status IN ('failed', 'token_gone') AND old.status IN ('retry', 'unknown')))"};

/// By primary key. A status only moves up a rank, so a late or repeated record changes nothing.
inline constexpr pg::Statement kUpdateStatus = {
    "ledger_update_status",
    "UPDATE notification_history h SET status = u.status, "
    "sent_at = coalesce(h.sent_at, u.sent_at), "
    "delivered_at = coalesce(h.delivered_at, u.delivered_at), "
    "expired_at = coalesce(h.expired_at, u.expired_at) "
    "FROM unnest($1::uuid[], $2::timestamp[], $3::text[], $4::timestamp[], $5::timestamp[], "
    "$6::timestamp[]) AS u (id, created_at, status, sent_at, delivered_at, expired_at) "
    "WHERE h.created_at = u.created_at AND h.id = u.id "
    "AND h.created_at >= $7 AND h.created_at <= $8 "
    "AND notification_status_rank(u.status) > notification_status_rank(h.status)"};

/// By primary key, before the status: why it moves there, or why it is kept back where it is
/// (status null), and how long it lives for it. Nothing of a record that comes too late.
inline constexpr pg::Statement kUpdateDecision = {
    "ledger_update_decision",
    "UPDATE notification_history h SET "
    "metadata = h.metadata || jsonb_build_object('later', u.decision), "
    "expires_at = coalesce(u.expires_at, h.expires_at) "
    "FROM unnest($1::uuid[], $2::timestamp[], $3::jsonb[], $4::timestamp[], $5::text[]) "
    "AS u (id, created_at, decision, expires_at, status) "
    "WHERE h.created_at = u.created_at AND h.id = u.id "
    "AND h.created_at >= $6 AND h.created_at <= $7 "
    "AND CASE WHEN u.status IS NULL THEN NOT coalesce(h.metadata ? 'cancelled_at', false) "
    "ELSE notification_status_rank(u.status) >= notification_status_rank(h.status) END"};

/// By primary key.
inline constexpr pg::Statement kUpsertDue = {
    "ledger_upsert_due",
    "INSERT INTO due (notification_id, due_at, reason, detail) "
    "SELECT * FROM unnest($1::uuid[], $2::timestamp[], $3::text[], $4::text[]) "
    "ON CONFLICT (notification_id) DO UPDATE SET due_at = excluded.due_at, "
    "reason = excluded.reason, detail = excluded.detail"};

/// The newest 2,000 of the user by idx_notification_history_user_id_created_at, then due by primary
/// key: what a change of settings reads is bounded, however much the user was sent. The last
/// decision tells what it waits for; a burst ends at its own time.
inline constexpr pg::Statement kReleaseDeferred = {
    "ledger_release_deferred",
    "UPDATE due SET due_at = $2 FROM (SELECT id, status, metadata FROM notification_history "
    "WHERE user_id = $1 AND created_at >= $3 ORDER BY created_at DESC LIMIT 2000) h "
    "WHERE due.notification_id = h.id AND due.reason = 'deferred' AND due.due_at > $2 "
    "AND h.status = 'deferred' "
    "AND coalesce(h.metadata->'later'->>'by', h.metadata->'decision'->>'by') = 'quiet_hours'"};

/// By primary key.
inline constexpr pg::Statement kDeleteDue = {
    "ledger_delete_due", "DELETE FROM due WHERE notification_id = ANY ($1::uuid[])"};

/// By primary key. Whoever records an outcome writes the history before `due`: locked in the same
/// order, and first, so that what follows sees all that was committed before it.
inline constexpr pg::Statement kLockForCancel = {
    "ledger_lock_for_cancel",
    "SELECT FROM notification_history h WHERE h.created_at = $2 AND h.id = $1 FOR UPDATE"};

/// By primary keys. The mark is apart from the status, which is `delivered` if one device has it
/// while another one is to be tried again.
inline constexpr pg::Statement kCancel = {
    "ledger_cancel",
    "UPDATE notification_history h SET "
    "status = CASE WHEN h.status IN ('pending', 'deferred') THEN 'cancelled' ELSE h.status END, "
    "metadata = h.metadata || jsonb_build_object('cancelled_at', $3::text, 'later', $4::jsonb) "
    "WHERE h.created_at = $2 AND h.id = $1 AND NOT h.metadata ? 'cancelled_at' "
    "AND (h.status IN ('pending', 'deferred') "
    "OR EXISTS (SELECT FROM due d WHERE d.notification_id = h.id))"};

/// By primary keys. Who was at work on it may have made it due again since it was cancelled.
inline constexpr pg::Statement kDeleteDueOfCancelled = {
    "ledger_delete_due_of_cancelled",
    "DELETE FROM due WHERE notification_id = $1 AND EXISTS (SELECT FROM notification_history h "
    "WHERE h.created_at = $2 AND h.id = $1 AND h.metadata ? 'cancelled_at')"};

/// By primary key. The first mark stays.
inline constexpr pg::Statement kMarkRetracted = {
    "ledger_mark_retracted",
    "UPDATE notification_history h SET "
    "metadata = h.metadata || jsonb_build_object('retracted', u.mark) "
    "FROM unnest($1::uuid[], $2::timestamp[], $5::jsonb[]) AS u (id, created_at, mark) "
    "WHERE h.created_at = u.created_at AND h.id = u.id "
    "AND h.created_at >= $3 AND h.created_at <= $4 AND NOT h.metadata ? 'retracted'"};

/// By primary key.
inline constexpr pg::Statement kIsCancelled = {
    "ledger_is_cancelled",
    "SELECT coalesce(h.metadata ? 'cancelled_at', false) FROM notification_history h "
    "WHERE h.created_at = $2 AND h.id = $1"};

/// For the day before too: just after midnight its keys are still written.
inline constexpr pg::Statement kEnsurePartitions = {
    "ledger_ensure_partitions",
    "SELECT ensure_partitions_for($1), ensure_partitions_for($1 - interval '5 minutes')"};

/// By primary key, within the bounds.
inline constexpr pg::Statement kStatusOf = {
    "ledger_status_of",
    "SELECT h.id, h.status, h.expires_at, coalesce(h.metadata ? 'cancelled_at', false) "
    "FROM notification_history h "
    "JOIN unnest($1::uuid[], $2::timestamp[]) AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4"};

/// idx_delivery_attempts_notification_id, within the bounds of the partitions' key.
inline constexpr pg::Statement kAttemptsOf = {
    "ledger_attempts_of", "SELECT " NOTIFY_ATTEMPT_COLUMNS
                          " FROM delivery_attempts a WHERE a.notification_id = ANY ($1::uuid[]) "
                          "AND a.id >= $2 AND a.id <= $3 ORDER BY a.attempted_at, a.id"};

/// A newer one replaces an older one if it has come, or can still come: it lives at $6.
#define NOTIFY_REPLACES                                   \
  "AND (newer.status IN ('sent', 'delivered', 'opened') " \
  "OR (newer.status IN ('pending', 'deferred') AND newer.expires_at > $6))"

/// By primary key, then idx_notification_history_user_id_created_at for those with a collapse id,
/// from their own instant to $5, then due by primary key. A newer one that is scheduled or deferred
/// until later than $6 replaces nothing yet.
inline constexpr pg::Statement kSuperseded = {
    "ledger_superseded",
    "SELECT h.id FROM notification_history h "
    "JOIN unnest($1::uuid[], $2::timestamp[]) AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4 AND h.payload ? 'collapse_id' "
    "AND EXISTS (SELECT FROM notification_history newer WHERE newer.user_id = h.user_id "
    "AND newer.created_at >= h.created_at AND newer.created_at <= $5 AND newer.id > h.id "
    "AND newer.payload->>'collapse_id' = h.payload->>'collapse_id' " NOTIFY_REPLACES
    " AND NOT EXISTS (SELECT FROM due d WHERE d.notification_id = newer.id "
    "AND d.reason = 'deferred' AND d.due_at > $6) "
    "AND coalesce((newer.metadata->>'deliver_at')::timestamptz AT TIME ZONE 'UTC' <= $6, true))"};

/// The time that a grouped one waits for, in ms; null of all others. By the last word on it.
#define NOTIFY_GROUP(row) \
  "(coalesce(" row ".metadata->'later', " row ".metadata->'decision')->>'group')::bigint"
/// Of one group: nodes differ by their clocks in what they say of the same time.
#define NOTIFY_SAME_GROUP(row)                                                              \
  row ".user_id = h.user_id AND " row                                                       \
      ".conversation_id = h.conversation_id AND abs(" NOTIFY_GROUP(row) " - " NOTIFY_GROUP( \
          "h") ") <= 5000 "

/// By primary key, then idx_notification_history_user_id_created_at for those that are grouped: how
/// many older ones of its group waited, over the two days before $3 at most, and whether there is a
/// newer one until $5, which lives at $6.
inline constexpr pg::Statement kGroups = {
    "ledger_groups",
    "SELECT h.id, (SELECT count(*) FROM notification_history older WHERE "
    NOTIFY_SAME_GROUP("older")
    "AND older.created_at >= $3::timestamp - interval '2 days' "
    "AND older.created_at <= h.created_at AND older.id < h.id "
    "AND older.status IN ('deferred', 'superseded')), "
    "EXISTS (SELECT FROM notification_history newer WHERE " NOTIFY_SAME_GROUP("newer")
    "AND newer.created_at >= h.created_at AND newer.created_at <= $5 AND newer.id > h.id "
    NOTIFY_REPLACES ") "
    "FROM notification_history h "
    "JOIN unnest($1::uuid[], $2::timestamp[]) AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4 AND " NOTIFY_GROUP("h") " IS NOT NULL"};
#undef NOTIFY_REPLACES
#undef NOTIFY_SAME_GROUP
#undef NOTIFY_GROUP

/// By primary key.
inline constexpr pg::Statement kReplayedAt = {
    "ledger_replayed_at",
    "SELECT notification_id, max(replayed_at) FROM replays WHERE notification_id = ANY "
    "($1::uuid[]) GROUP BY notification_id"};

}  // namespace notify::stores::sql
