#include "edges/grpc/notification_rpc.hpp"

#include "edges/grpc/accept_items.hpp"
#include "edges/grpc/decode.hpp"
#include "edges/grpc/messages.hpp"
#include "edges/grpc/wire.hpp"

namespace notify::edges {
namespace {

using flows::Answer;
using flows::refuse;
namespace pb = notification;

/// Calls that can wait to arrive, for each method: as many as one batch of the pump.
constexpr std::size_t kListening = 64;

}  // namespace

NotificationRpc::NotificationRpc(RpcHost& host, RawNotificationService& service,
                                 flows::Accept& accept, flows::Cancel& cancel_flow,
                                 flows::Retract& retract_flow, stores::History& history)
    : host_(host),
      accept_(accept),
      cancel_flow_(cancel_flow),
      retract_flow_(retract_flow),
      history_(history),
      send_(
          "SendNotification", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestSendNotification(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return send(request, std::move(call)); }),
      batch_(
          "BatchSendNotifications", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestBatchSendNotifications(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return batch(request, std::move(call)); },
          [](auto& bytes, auto& request, auto& spoilt) {
            return decode_items(bytes, request, *pb::SendNotificationRequest::descriptor(), spoilt);
          }),
      get_(
          "GetNotification", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestGetNotification(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return get(request, std::move(call)); }),
      cancel_(
          "CancelNotification", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestCancelNotification(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return cancel(request, std::move(call)); }),
      list_(
          "ListNotifications", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestListNotifications(context, bytes, writer, queue, queue, tag);
          },
          [this](const auto& request, RpcCall call) { return list(request, std::move(call)); }),
      streams_(host, accept, [&service](auto* context, auto* stream, auto* queue, void* tag) {
        service.RequestStreamNotifications(context, stream, queue, queue, tag);
      }) {}

void NotificationRpc::start() {
  send_.start(kListening);
  batch_.start(kListening);
  get_.start(kListening);
  cancel_.start(kListening);
  list_.start(kListening);
  streams_.start();
}

async::Task<Answer<pb::SendNotificationResponse>> NotificationRpc::send(
    const pb::SendNotificationRequest& request, RpcCall call) {
  std::vector<rules::SendRequest> alone;
  alone.push_back(to_rules(request));
  auto answers = co_await accept_.accept(std::move(alone), std::move(call.caller));
  if (!answers.front()) co_return base::Unexpected(std::move(answers.front()).error());
  pb::SendNotificationResponse response;
  encode(*answers.front(), response);
  co_return response;
}

async::Task<Answer<pb::BatchSendNotificationsResponse>> NotificationRpc::batch(
    const pb::BatchSendNotificationsRequest& request, RpcCall call) {
  const auto size = static_cast<std::size_t>(request.notifications_size());
  if (size == 0 || size > kItemsMax) {
    co_return refuse(rules::Violations{
        {"notifications", "has " + std::to_string(size) + " entries; 1 to 1,000 are allowed"}});
  }
  // The call itself holds one already.
  base::HeldShares held(host_.shares, call.caller.lane, size - 1);
  if (!held) co_return refuse({base::Errc::overloaded, "too many notifications in flight"});
  std::vector<rules::SendRequest> requests;
  requests.reserve(size);
  for (const auto& notification : request.notifications()) {
    requests.push_back(to_rules(notification));
  }
  const auto answers =
      co_await accept_items(accept_, std::move(requests), call.spoilt, std::move(call.caller));
  pb::BatchSendNotificationsResponse response;
  response.mutable_results()->Reserve(static_cast<int>(size));
  for (const auto& answer : answers) encode(answer, *response.add_results());
  co_return response;
}

async::Task<Answer<pb::GetNotificationResponse>> NotificationRpc::get(
    const pb::GetNotificationRequest& request, RpcCall call) {
  const auto id = base::NotificationId::parse(request.notification_id());
  if (!id) co_return refuse(rules::Violations{{"notification_id", kUuidForm}});
  const auto story = co_await history_.find(*id, call.deadline);
  if (!story) co_return refuse(story.error());
  if (call.user && *call.user != story->record.notification.user) {
    co_return refuse({base::Errc::not_found, "it is another user's"});
  }
  pb::GetNotificationResponse response;
  encode(story->record, *response.mutable_notification());
  for (const rules::Attempt& attempt : story->attempts) encode(attempt, *response.add_attempts());
  for (const stores::Replay& replay : story->replays) encode(replay, *response.add_replays());
  co_return response;
}

async::Task<Answer<pb::CancelNotificationResponse>> NotificationRpc::cancel(
    const pb::CancelNotificationRequest& request, RpcCall call) {
  auto order = to_retraction(request);
  if (!order) co_return refuse(std::move(order).error());
  pb::CancelNotificationResponse response;
  if (const auto id = base::NotificationId::parse(request.notification_id())) {
    const auto cancelled = co_await cancel_flow_.cancel(*id, call.deadline);
    if (!cancelled) co_return refuse(cancelled.error());
    encode(*cancelled, response);
  }
  if (*order) {
    const auto retracting =
        co_await retract_flow_.retract(**order, std::move(call.caller), call.deadline);
    if (!retracting) co_return refuse(retracting.error());
    encode(*retracting, response);
  }
  co_return response;
}

async::Task<Answer<pb::ListNotificationsResponse>> NotificationRpc::list(
    const pb::ListNotificationsRequest& request, RpcCall call) {
  rules::Violations violations;
  const auto user = base::UserId::parse(request.user_id());
  if (!user) violations.push_back({"user_id", kUuidForm});
  if (request.page_size() < 0 || request.page_size() > kPageMax) {
    violations.push_back({"page_size", "must be from 1 to 100, or 0 for 20"});
  }
  std::optional<base::NotificationId> before;
  if (!request.page_token().empty()) {
    before = decode_page_token(request.page_token());
    if (!before) violations.push_back({"page_token", kPageTokenForm});
  }
  if (!violations.empty()) co_return refuse(std::move(violations));

  const std::int32_t size = request.page_size() == 0 ? kPageDefault : request.page_size();
  auto records = co_await history_.list(*user, before, size + 1, call.deadline);
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
