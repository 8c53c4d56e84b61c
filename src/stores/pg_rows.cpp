#include "stores/pg_rows.hpp"

#include "rules/codec.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

}  // namespace

std::string_view name(DueReason reason) {
  switch (reason) {
    case DueReason::retry: return "retry";
    case DueReason::deferred: return "deferred";
    case DueReason::scheduled: return "scheduled";
    case DueReason::devices_unavailable: return "devices_unavailable";
    case DueReason::replay: return "replay";
  }
  return "?";
}

base::Error not_within() {
  return {Errc::unavailable,
          "it took too long to be written, or the clocks of this node and of PostgreSQL differ; "
          "nothing was stored, try again"};
}

std::optional<DueReason> parse_due_reason(std::string_view text) {
  for (const DueReason reason : {DueReason::retry, DueReason::deferred, DueReason::scheduled,
                                 DueReason::devices_unavailable, DueReason::replay}) {
    if (name(reason) == text) return reason;
  }
  return std::nullopt;
}

Expected<HistoryRecord> read_history_row(const pg::Result& result, std::size_t index) {
  pg::Row row(result, index);
  HistoryRecord record;
  rules::Notification& n = record.notification;
  n.id = row.id<base::NotificationId>(0);
  n.user = row.id<base::UserId>(1);
  n.conversation = row.maybe_id<base::ConversationId>(2);
  n.message = row.maybe_id<base::MessageId>(3);
  n.type = row.text(4);
  n.title = row.text(5);
  n.body = row.text(6);
  const std::string_view payload = row.text(7);
  const std::string_view stored = row.text(8);
  if (row.fault()) return fail(*row.fault());  // as of a row of `due` without its history
  auto presentation = rules::decode_presentation(payload);
  auto metadata = rules::decode_metadata(stored);
  const auto status = rules::parse_status(row.text(9));
  const auto priority = rules::parse_priority(row.text(10));
  const base::WallTime created_at = row.timestamp(11);
  n.expires_at = row.maybe_timestamp(12).value_or(created_at + std::chrono::hours(24));
  record.sent_at = row.maybe_timestamp(13);
  record.delivered_at = row.maybe_timestamp(14);
  record.opened_at = row.maybe_timestamp(15);
  record.expired_at = row.maybe_timestamp(16);
  if (row.fault()) return fail(*row.fault());
  if (!presentation) return fail(std::move(presentation).error());
  if (!metadata) return fail(std::move(metadata).error());
  if (!status || !priority) {
    return fail(Errc::corrupt, "a history row has an unknown status or priority");
  }
  n.presentation = std::move(*presentation);
  n.labels = std::move(metadata->labels);
  n.template_used = std::move(metadata->template_used);
  n.deliver_at = metadata->deliver_at;
  n.priority = *priority;
  record.cancelled_at = metadata->cancelled_at;
  record.retracted = std::move(metadata->retracted);
  record.decisions = std::move(metadata->decisions);
  record.status = *status;
  return record;
}

Expected<rules::Attempt> read_attempt_row(const pg::Result& result, std::size_t index) {
  pg::Row row(result, index);
  rules::Attempt attempt;
  attempt.id = row.id<base::AttemptId>(1);
  attempt.device = row.id<base::DeviceId>(2);
  const auto status = rules::parse_attempt_status(row.text(3));
  attempt.error_code = row.maybe_text(4).value_or("");
  attempt.error_message = row.maybe_text(5).value_or("");
  attempt.retry_count = static_cast<std::int32_t>(row.int64(6));
  attempt.attempted_at = row.timestamp(7);
  attempt.next_retry_at = row.maybe_timestamp(8);
  attempt.provider = row.maybe_text(9).value_or("");
  if (row.fault()) return fail(*row.fault());
  if (!status) return fail(Errc::corrupt, "an attempt has an unknown status");
  attempt.status = *status;
  return attempt;
}

base::Error to_error(const pg::QueryError& error) { return error.error; }

base::Error no_connection() { return {Errc::unavailable, "no connection to PostgreSQL"}; }

}  // namespace notify::stores
