#pragma once
// How rows become types and back: shared by the adapters on PostgreSQL.

#include <algorithm>
#include <vector>

#include "storage/pg/error.hpp"
#include "storage/pg/params.hpp"
#include "storage/pg/result.hpp"
#include "stores/history.hpp"

namespace notify::stores {

/// The columns of notification_history in the order that read_history_row() expects.
#define NOTIFY_HISTORY_COLUMNS                                                               \
  "h.id, h.user_id, h.conversation_id, h.message_id, h.notification_type, h.title, h.body, " \
  "h.payload, h.metadata, h.status, h.priority, h.created_at, h.expires_at, h.sent_at, "     \
  "h.delivered_at, h.opened_at, h.expired_at"
inline constexpr std::size_t kHistoryColumns = 17;

/// Errors: Errc::corrupt for a value that no version of this program writes.
[[nodiscard]] base::Expected<HistoryRecord> read_history_row(const pg::Result& result,
                                                             std::size_t row);

/// The columns of delivery_attempts in the order that read_attempt_row() expects, after the
/// notification's id in column 0.
#define NOTIFY_ATTEMPT_COLUMNS                                                      \
  "a.notification_id, a.id, a.device_id, a.status, a.error_code, a.error_message, " \
  "a.retry_count, a.attempted_at, a.next_retry_at, a.provider"
[[nodiscard]] base::Expected<rules::Attempt> read_attempt_row(const pg::Result& result,
                                                              std::size_t row);

[[nodiscard]] std::optional<DueReason> parse_due_reason(std::string_view text);

/// What a store's caller needs of a failed query.
[[nodiscard]] base::Error to_error(const pg::QueryError& error);

/// For calls that somebody waits for: who has to repeat a call should know at once, not after a
/// timeout.
[[nodiscard]] base::Error no_connection();

/// The first and last instant of a batch: partition bounds, so that the plan touches no other
/// partition.
struct Instants {
  base::WallTime first;
  base::WallTime last;
};
template <class Range, class IdOf>
[[nodiscard]] Instants instants_of(const Range& range, IdOf id_of) {
  Instants bounds{base::WallTime::max(), base::WallTime::min()};
  for (const auto& item : range) {
    const base::WallTime instant = id_of(item).uuid().instant();
    bounds.first = std::min(bounds.first, instant);
    bounds.last = std::max(bounds.last, instant);
  }
  return bounds;
}

/// The parameters that name a batch of notifications: ids, instants, and the bounds.
template <class Range, class IdOf>
[[nodiscard]] pg::Params ids_and_bounds(const Range& range, IdOf id_of) {
  pg::Array ids(pg::Type::uuid, range.size());
  pg::Array instants(pg::Type::timestamp, range.size());
  for (const auto& item : range) {
    ids.id(id_of(item));
    instants.timestamp(id_of(item).uuid().instant());
  }
  const Instants bounds = instants_of(range, id_of);
  pg::Params params;
  params.array(ids).array(instants).timestamp(bounds.first).timestamp(bounds.last);
  return params;
}

}  // namespace notify::stores
