#pragma once
// The ledger's SQL. Each statement names the index it relies on, and passes the bounds of a batch,
// so that the plan touches the partitions concerned and no other.

#include "storage/pg/query.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores::sql {

/// Idempotency and history in one statement; why it is built so: db/deploy/idempotency_keys.sql.
/// Returns the submissions that did not go in: ord, and the notification of an earlier request with
/// the same key, and whether the requests are the same; both NULL if the key was taken while this
/// ran, so that only another look can tell.
///
/// known: by the unique index on (caller, key_hash) of each day between the bounds; LATERAL with
/// LIMIT keeps the plan to one index probe a row and day; the interval keeps a planner without
/// statistics from walking the day's primary key backwards instead. Newest first: a guard row
/// without its notification, which a clock five minutes off can leave, is never preferred to a real
/// one. guarded: what begins within five minutes after midnight also takes its key in the day that
/// ends, unless a request older than 24 hours still holds it there (then whoever came before
/// midnight is a repeat of that one). In the order of the keys, so that two batches cannot
/// deadlock. written: IS TRUE keeps IN a hashed lookup; as a join it is planned for a few rows and
/// compares each with each. Made for a generic plan: to plan a small batch costs more than to run
/// it.
inline constexpr pg::Statement kAppend = {
    "ledger_append",
    "WITH wanted AS MATERIALIZED ("
    "SELECT w.*, w.created_at < date_trunc('day', w.created_at) + interval '5 minutes' AS "
    "begins_day "
    "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], "
    "$7::text[], $8::jsonb[], $9::jsonb[], $10::text[], $11::timestamp[], $12::text[], "
    "$13::timestamp[], $14::text[], $15::bytea[], $16::bytea[], $17::boolean[]) WITH ORDINALITY "
    "AS w (id, user_id, conversation_id, message_id, notification_type, title, body, payload, "
    "metadata, status, created_at, priority, expires_at, caller, key_hash, request_hash, explicit, "
    "ord)), "
    "known AS MATERIALIZED ("
    "SELECT w.ord, k.notification_id, k.request_hash = w.request_hash AS same "
    "FROM wanted w CROSS JOIN LATERAL (SELECT i.notification_id, i.request_hash "
    "FROM idempotency_keys i WHERE i.caller = w.caller AND i.key_hash = w.key_hash "
    "AND i.created_at > $18 AND i.created_at < $19 "
    "AND i.created_at > w.created_at - interval '24 hours' "
    "ORDER BY i.created_at + interval '0' DESC LIMIT 1) k), "
    "fresh AS MATERIALIZED ("
    "SELECT w.*, w.begins_day AND NOT EXISTS (SELECT FROM idempotency_keys i "
    "WHERE i.caller = w.caller AND i.key_hash = w.key_hash "
    "AND i.created_at > $18 - interval '24 hours' "
    "AND i.created_at <= w.created_at - interval '24 hours') AS to_guard "
    "FROM wanted w WHERE NOT EXISTS (SELECT FROM known WHERE known.ord = w.ord)), "
    "guarded AS ("
    "INSERT INTO idempotency_keys "
    "(caller, key_hash, request_hash, explicit, notification_id, created_at) "
    "SELECT caller, key_hash, request_hash, explicit, id, "
    "date_trunc('day', created_at) - interval '1 microsecond' FROM fresh WHERE to_guard "
    "ORDER BY caller, key_hash ON CONFLICT DO NOTHING RETURNING notification_id), "
    "keyed AS ("
    "INSERT INTO idempotency_keys "
    "(caller, key_hash, request_hash, explicit, notification_id, created_at) "
    "SELECT caller, key_hash, request_hash, explicit, id, created_at FROM fresh "
    "WHERE NOT to_guard OR id IN (SELECT notification_id FROM guarded) "
    "ORDER BY caller, key_hash ON CONFLICT DO NOTHING RETURNING notification_id), "
    "written AS ("
    "INSERT INTO notification_history (id, user_id, conversation_id, message_id, "
    "notification_type, title, body, payload, metadata, status, created_at, priority, expires_at) "
    "SELECT id, user_id, conversation_id, message_id, notification_type, title, body, payload, "
    "metadata, status, created_at, priority, expires_at FROM fresh "
    "WHERE (id IN (SELECT notification_id FROM keyed)) IS TRUE "
    "ON CONFLICT (created_at, id) DO NOTHING) "
    "SELECT w.ord, known.notification_id, known.same FROM wanted w LEFT JOIN known USING (ord) "
    "WHERE w.id NOT IN (SELECT notification_id FROM keyed) ORDER BY w.ord"};

/// The id of an attempt is made of its content, so a repeat finds the row there. Of two outcomes of
/// one try, as of a node that came back after its work was taken over, the last word stands, and an
/// acceptance above all.
inline constexpr pg::Statement kInsertAttempts = {
    "ledger_insert_attempts",
    "INSERT INTO delivery_attempts AS old (id, notification_id, device_id, status, error_code, "
    "error_message, retry_count, attempted_at, next_retry_at, provider) "
    "SELECT DISTINCT ON (a.id) a.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], "
    "$5::text[], $6::text[], $7::integer[], $8::timestamp[], $9::timestamp[], $10::text[]) AS a "
    "(id, notification_id, device_id, status, error_code, error_message, retry_count, "
    "attempted_at, next_retry_at, provider) ORDER BY a.id, a.status = 'delivered' DESC "
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

/// By primary key.
inline constexpr pg::Statement kUpsertDue = {
    "ledger_upsert_due",
    "INSERT INTO due (notification_id, due_at, reason, detail) "
    "SELECT * FROM unnest($1::uuid[], $2::timestamp[], $3::text[], $4::text[]) "
    "ON CONFLICT (notification_id) DO UPDATE SET due_at = excluded.due_at, "
    "reason = excluded.reason, detail = excluded.detail"};

/// By primary key.
inline constexpr pg::Statement kDeleteDue = {
    "ledger_delete_due", "DELETE FROM due WHERE notification_id = ANY ($1::uuid[])"};

/// For the day before too: just after midnight its keys are still written.
inline constexpr pg::Statement kEnsurePartitions = {
    "ledger_ensure_partitions",
    "SELECT ensure_partitions_for($1), ensure_partitions_for($1 - interval '5 minutes')"};

/// By primary key, within the bounds.
inline constexpr pg::Statement kStatusOf = {
    "ledger_status_of",
    "SELECT h.id, h.status, h.expires_at FROM notification_history h "
    "JOIN unnest($1::uuid[], $2::timestamp[]) AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4"};

/// idx_delivery_attempts_notification_id, within the bounds of the partitions' key.
inline constexpr pg::Statement kAttemptsOf = {
    "ledger_attempts_of", "SELECT " NOTIFY_ATTEMPT_COLUMNS
                          " FROM delivery_attempts a WHERE a.notification_id = ANY ($1::uuid[]) "
                          "AND a.id >= $2 AND a.id <= $3 ORDER BY a.attempted_at, a.id"};

/// By primary key.
inline constexpr pg::Statement kReplayedAt = {
    "ledger_replayed_at",
    "SELECT notification_id, max(replayed_at) FROM replays WHERE notification_id = ANY "
    "($1::uuid[]) GROUP BY notification_id"};

}  // namespace notify::stores::sql
