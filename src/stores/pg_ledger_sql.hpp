#pragma once
// The ledger's SQL. Each statement names the index it relies on, and passes the bounds of a batch,
// so that the plan touches the partitions concerned and no other.

#include "storage/pg/query.hpp"
#include "stores/pg_rows.hpp"

namespace notify::stores::sql {

/// One row a notification; the primary key (created_at, id) makes a repeat harmless.
inline constexpr pg::Statement kInsertHistory = {
    "ledger_insert",
    "INSERT INTO notification_history (id, user_id, conversation_id, message_id, "
    "notification_type, title, body, payload, metadata, status, created_at, priority, expires_at) "
    "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], "
    "$7::text[], $8::jsonb[], $9::jsonb[], $10::text[], $11::timestamp[], $12::text[], "
    "$13::timestamp[]) ON CONFLICT (created_at, id) DO NOTHING"};

/// By primary key, within the bounds.
inline constexpr pg::Statement kFindIds = {
    "ledger_find_ids",
    "SELECT h.id FROM notification_history h JOIN unnest($1::uuid[], $2::timestamp[]) "
    "AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4"};

/// The id of an attempt is made of its content, so a repeat finds the row there.
inline constexpr pg::Statement kInsertAttempts = {
    "ledger_insert_attempts",
    "INSERT INTO delivery_attempts (id, notification_id, device_id, status, error_code, "
    "error_message, retry_count, attempted_at, next_retry_at) "
    "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], "
    "$7::integer[], $8::timestamp[], $9::timestamp[]) ON CONFLICT (id) DO NOTHING"};

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

inline constexpr pg::Statement kEnsurePartitions = {"ledger_ensure_partitions",
                                                    "SELECT ensure_partitions_for($1)"};

/// By primary key, within the bounds.
inline constexpr pg::Statement kStatusOf = {
    "ledger_status_of",
    "SELECT h.id, h.status FROM notification_history h JOIN unnest($1::uuid[], $2::timestamp[]) "
    "AS wanted (id, created_at) USING (created_at, id) "
    "WHERE h.created_at >= $3 AND h.created_at <= $4"};

/// idx_delivery_attempts_notification_id, within the bounds of the partitions' key.
inline constexpr pg::Statement kAttemptsOf = {
    "ledger_attempts_of", "SELECT " NOTIFY_ATTEMPT_COLUMNS
                          " FROM delivery_attempts a WHERE a.notification_id = ANY ($1::uuid[]) "
                          "AND a.id >= $2 AND a.id <= $3 ORDER BY a.attempted_at, a.id"};

}  // namespace notify::stores::sql
