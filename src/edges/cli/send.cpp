#include "edges/cli/send.hpp"

#include <grpcpp/grpcpp.h>

#include "base/clock.hpp"
#include "edges/cli/call.hpp"
#include "net/grpc/timestamp.hpp"
#include "notification/notification.grpc.pb.h"

namespace notify::edges {
namespace {

namespace pb = notification;

pb::Priority to_wire(const std::string& priority) {
  if (priority == "high") return pb::PRIORITY_HIGH;
  if (priority == "low") return pb::PRIORITY_LOW;
  return pb::PRIORITY_MEDIUM;
}

}  // namespace

base::Expected<std::string> send(const SendOptions& options) {
  const base::SystemClock clock;
  pb::SendNotificationRequest request;
  request.set_user_id(options.user_id);
  request.set_conversation_id(options.conversation_id);
  request.set_type(options.type);
  request.set_title(options.title);
  request.set_body(options.body);
  request.set_priority(to_wire(options.priority));
  if (options.ttl.count() > 0) {
    net::set(request.mutable_expires_at(), clock.now() + options.ttl);
  }
  const auto channel = channel_to(options.service);
  if (!channel) return base::fail(channel.error());
  const auto stub = pb::NotificationService::NewStub(*channel);
  grpc::ClientContext context;
  set_deadline(context, clock, options.timeout);
  pb::SendNotificationResponse response;
  const grpc::Status status = stub->SendNotification(&context, request, &response);
  if (!status.ok()) return base::fail(base::Errc::unavailable, describe(status));
  return response.notification_id();
}

}  // namespace notify::edges
