#include "edges/grpc/notification_rpc.hpp"

#include <algorithm>

#include "base/async/with_deadline.hpp"
#include "base/text.hpp"

namespace notify::edges {
namespace {

using flows::Answer;
using flows::refuse;
namespace pb = notification;

constexpr std::int32_t kPageDefault = 20;
constexpr std::int32_t kPageMax = 100;
/// Calls that can wait to arrive, for each method: as many as one batch of the pump.
constexpr std::size_t kListening = 64;

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

/// In key order, so that a message about the n-th entry means something.
Pairs to_pairs(const google::protobuf::Map<std::string, std::string>& map) {
  Pairs pairs;
  for (const auto& [key, value] : map) pairs.emplace_back(key, value);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

std::chrono::milliseconds to_ms(const google::protobuf::Timestamp& timestamp) {
  return std::chrono::seconds(timestamp.seconds()) +
         std::chrono::milliseconds(timestamp.nanos() / 1'000'000);
}

void set(google::protobuf::Timestamp* to, base::WallTime from) {
  const std::int64_t unix_ms = from.time_since_epoch().count();
  to->set_seconds(unix_ms / 1000);
  to->set_nanos(static_cast<std::int32_t>(unix_ms % 1000) * 1'000'000);
}

/// The request as rules see it: views into the message.
rules::SendRequest to_rules(const pb::SendNotificationRequest& r) {
  rules::SendRequest request;
  request.user_id = r.user_id();
  request.conversation_id = r.conversation_id();
  request.message_id = r.message_id();
  request.type = r.type();
  request.title = r.title();
  request.body = r.body();
  request.data = to_pairs(r.data());
  request.priority = r.priority();
  if (r.has_expires_at()) request.expires_at = to_ms(r.expires_at());
  request.collapse_id = r.collapse_id();
  if (r.has_badge()) request.badge = r.badge();
  request.sound = r.sound();
  request.category = r.category();
  request.mutable_content = r.mutable_content();
  request.background = r.background();
  request.labels = to_pairs(r.labels());
  return request;
}

/// Timestamps beyond what protobuf allows (years 1 to 9999) would overflow our arithmetic.
std::optional<rules::Violations> check_timestamp(const pb::SendNotificationRequest& r) {
  constexpr std::int64_t kSecondsMax = 253'402'300'799;  // 9999-12-31T23:59:59Z
  if (!r.has_expires_at()) return std::nullopt;
  const auto& at = r.expires_at();
  const bool valid = at.seconds() >= 0 && at.seconds() <= kSecondsMax && at.nanos() >= 0 &&
                     at.nanos() < 1'000'000'000;
  if (valid) return std::nullopt;
  return rules::Violations{
      {"expires_at", "must be a time from 1970 to 9999 with 0 to 999,999,999 nanoseconds"}};
}

pb::Priority to_wire(rules::Priority priority) {
  switch (priority) {
    case rules::Priority::high: return pb::PRIORITY_HIGH;
    case rules::Priority::medium: return pb::PRIORITY_MEDIUM;
    case rules::Priority::low: return pb::PRIORITY_LOW;
  }
  return pb::PRIORITY_UNSPECIFIED;
}

pb::NotificationStatus to_wire(rules::Status status) {
  switch (status) {
    case rules::Status::pending: return pb::NOTIFICATION_STATUS_PENDING;
    case rules::Status::deferred: return pb::NOTIFICATION_STATUS_DEFERRED;
    case rules::Status::sent: return pb::NOTIFICATION_STATUS_SENT;
    case rules::Status::delivered: return pb::NOTIFICATION_STATUS_DELIVERED;
    case rules::Status::opened: return pb::NOTIFICATION_STATUS_OPENED;
    case rules::Status::failed: return pb::NOTIFICATION_STATUS_FAILED;
    case rules::Status::expired: return pb::NOTIFICATION_STATUS_EXPIRED;
    case rules::Status::suppressed: return pb::NOTIFICATION_STATUS_SUPPRESSED;
    case rules::Status::cancelled: return pb::NOTIFICATION_STATUS_CANCELLED;
    case rules::Status::superseded: return pb::NOTIFICATION_STATUS_SUPERSEDED;
  }
  return pb::NOTIFICATION_STATUS_UNSPECIFIED;
}

pb::AttemptStatus to_wire(rules::AttemptStatus status) {
  switch (status) {
    case rules::AttemptStatus::delivered: return pb::ATTEMPT_STATUS_DELIVERED;
    case rules::AttemptStatus::token_gone: return pb::ATTEMPT_STATUS_TOKEN_GONE;
    case rules::AttemptStatus::failed: return pb::ATTEMPT_STATUS_FAILED;
    case rules::AttemptStatus::retry: return pb::ATTEMPT_STATUS_RETRY;
    case rules::AttemptStatus::unknown: return pb::ATTEMPT_STATUS_UNKNOWN;
  }
  return pb::ATTEMPT_STATUS_UNSPECIFIED;
}

void encode(const stores::HistoryRecord& record, pb::Notification& to) {
  const rules::Notification& n = record.notification;
  to.set_notification_id(n.id.to_string());
  to.set_user_id(n.user.to_string());
  if (n.conversation) to.set_conversation_id(n.conversation->to_string());
  if (n.message) to.set_message_id(n.message->to_string());
  to.set_type(n.type);
  to.set_title(n.title);
  to.set_body(n.body);
  for (const auto& [key, value] : n.presentation.data) (*to.mutable_data())[key] = value;
  to.set_priority(to_wire(n.priority));
  to.set_status(to_wire(record.status));
  set(to.mutable_created_at(), n.created_at());
  set(to.mutable_expires_at(), n.expires_at);
  if (record.sent_at) set(to.mutable_sent_at(), *record.sent_at);
  if (record.delivered_at) set(to.mutable_delivered_at(), *record.delivered_at);
  if (record.opened_at) set(to.mutable_opened_at(), *record.opened_at);
  if (record.expired_at) set(to.mutable_expired_at(), *record.expired_at);
  for (const auto& [key, value] : n.labels) (*to.mutable_labels())[key] = value;
}

void encode(const rules::Attempt& attempt, pb::DeliveryAttempt& to) {
  to.set_attempt_id(attempt.id.to_string());
  to.set_device_id(attempt.device.to_string());
  to.set_status(to_wire(attempt.status));
  to.set_error_code(attempt.error_code);
  to.set_error_message(attempt.error_message);
  to.set_retry_count(attempt.retry_count);
  set(to.mutable_attempted_at(), attempt.attempted_at);
  if (attempt.next_retry_at) set(to.mutable_next_retry_at(), *attempt.next_retry_at);
}

/// A page token is the id of the last notification shown, opaque to callers.
std::string encode_page_token(base::NotificationId last) {
  const auto& bytes = last.uuid().bytes();
  return base::base64url_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::optional<base::NotificationId> decode_page_token(std::string_view token) {
  const std::optional<std::string> decoded = base::base64url_decode(token);
  if (!decoded || decoded->size() != 16) return std::nullopt;
  base::Uuid::Bytes bytes{};
  std::copy(decoded->begin(), decoded->end(), bytes.begin());
  const base::Uuid id(bytes);
  return id.is_v7() ? std::optional(base::NotificationId(id)) : std::nullopt;
}

constexpr const char* kUuidForm =
    "must be a UUID in its canonical form, 8-4-4-4-12 hexadecimal digits";

}  // namespace

NotificationRpc::NotificationRpc(RpcHost& host, RawNotificationService& service,
                                 flows::Accept& accept, stores::History& history)
    : accept_(accept),
      history_(history),
      send_(
          "SendNotification", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestSendNotification(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, base::Deadline deadline) { return send(request, deadline); }),
      get_(
          "GetNotification", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestGetNotification(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, base::Deadline deadline) { return get(request, deadline); }),
      list_(
          "ListNotifications", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestListNotifications(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, base::Deadline deadline) {
            return list(request, deadline);
          }) {}

void NotificationRpc::start() {
  send_.start(kListening);
  get_.start(kListening);
  list_.start(kListening);
}

async::Task<Answer<pb::SendNotificationResponse>> NotificationRpc::send(
    const pb::SendNotificationRequest& request, base::Deadline) {
  if (auto violations = check_timestamp(request)) co_return refuse(std::move(*violations));
  const auto accepted = co_await accept_.accept(to_rules(request));
  if (!accepted) co_return base::Unexpected<flows::Refusal>(accepted.error());
  pb::SendNotificationResponse response;
  response.set_notification_id(accepted->id.to_string());
  response.set_status(pb::NOTIFICATION_STATUS_PENDING);
  set(response.mutable_created_at(), accepted->created_at);
  set(response.mutable_expires_at(), accepted->expires_at);
  co_return response;
}

async::Task<Answer<pb::GetNotificationResponse>> NotificationRpc::get(
    const pb::GetNotificationRequest& request, base::Deadline deadline) {
  const auto id = base::NotificationId::parse(request.notification_id());
  if (!id) co_return refuse(rules::Violations{{"notification_id", kUuidForm}});
  const auto story = co_await history_.find(*id, deadline);
  if (!story) co_return refuse(story.error());
  pb::GetNotificationResponse response;
  encode(story->record, *response.mutable_notification());
  for (const rules::Attempt& attempt : story->attempts) encode(attempt, *response.add_attempts());
  co_return response;
}

async::Task<Answer<pb::ListNotificationsResponse>> NotificationRpc::list(
    const pb::ListNotificationsRequest& request, base::Deadline deadline) {
  rules::Violations violations;
  const auto user = base::UserId::parse(request.user_id());
  if (!user) violations.push_back({"user_id", kUuidForm});
  if (request.page_size() < 0 || request.page_size() > kPageMax) {
    violations.push_back({"page_size", "must be from 1 to 100, or 0 for 20"});
  }
  std::optional<base::NotificationId> before;
  if (!request.page_token().empty()) {
    before = decode_page_token(request.page_token());
    if (!before) {
      violations.push_back({"page_token", "must be the next_page_token of an earlier answer"});
    }
  }
  if (!violations.empty()) co_return refuse(std::move(violations));

  const std::int32_t size = request.page_size() == 0 ? kPageDefault : request.page_size();
  auto records = co_await history_.list(*user, before, size + 1, deadline);
  if (!records) co_return refuse(std::move(records).error());
  pb::ListNotificationsResponse response;
  const bool more = records->size() > static_cast<std::size_t>(size);
  if (more) records->pop_back();
  for (const stores::HistoryRecord& record : *records) {
    encode(record, *response.add_notifications());
  }
  if (more) {
    response.set_next_page_token(encode_page_token(records->back().notification.id));
  }
  co_return response;
}

}  // namespace notify::edges
