#include "edges/cli/cancel.hpp"

#include <grpcpp/grpcpp.h>

#include "base/clock.hpp"
#include "notification/notification.grpc.pb.h"

namespace notify::edges {
namespace {

namespace pb = notification;

pb::CancelNotificationRequest cancel_request(const CancelOptions& options) {
  pb::CancelNotificationRequest request;
  if (!options.conversation_id.empty()) {
    pb::ConversationSelector& wanted = *request.mutable_of_conversation();
    wanted.set_user_id(options.user_id);
    wanted.set_conversation_id(options.conversation_id);
    wanted.set_up_to_message_id(options.up_to_message_id);
  } else if (!options.message_id.empty()) {
    request.mutable_of_message()->set_user_id(options.user_id);
    request.mutable_of_message()->set_message_id(options.message_id);
  } else {
    request.set_notification_id(options.notification_id);
  }
  request.set_remove_shown(options.remove_shown);
  if (options.badge) request.set_badge(*options.badge);
  return request;
}

std::string_view cancel_text(pb::CancelResult result) {
  switch (result) {
    case pb::CANCEL_RESULT_CANCELLED: return "cancelled: nothing of it is sent\n";
    case pb::CANCEL_RESULT_TOO_LATE: return "too late: nothing was left to take back\n";
    case pb::CANCEL_RESULT_PARTLY_SENT: return "partly sent: it is not tried again\n";
    default: return "";
  }
}

std::string cancel_report(const CancelOptions& options,
                          const pb::CancelNotificationResponse& response) {
  std::string text(cancel_text(response.result()));
  if (!options.notification_id.empty() && !options.remove_shown) return text;
  text += std::to_string(response.withdrawn()) + " withdrawn, " +
          std::to_string(response.removed()) + " to be removed from devices\n";
  for (const std::string& id : response.retraction_ids()) text += "retraction " + id + "\n";
  if (response.has_more()) text += "there are more: run the same command again\n";
  return text;
}

}  // namespace

void add_cancel_options(CLI::App* command, CancelOptions& options) {
  add_service_options(command, options.service);
  auto* which = command->add_option_group("which");
  auto* id = which->add_option("id", options.notification_id, "The notification's id");
  auto* message = which->add_option("--message", options.message_id,
                                    "Those of the user about this message, a UUID");
  auto* conversation = which->add_option("--conversation", options.conversation_id,
                                         "Those of the user of this conversation, a UUID");
  which->require_option(1);
  auto* user =
      command->add_option("--user", options.user_id, "The user's id, a UUID")->excludes(id);
  message->needs(user);
  conversation->needs(user);
  command
      ->add_option("--up-to", options.up_to_message_id,
                   "With --conversation: only those not newer than this message's")
      ->needs(conversation);
  command
      ->add_flag("--remove-shown", options.remove_shown,
                 "With an id: devices that have got it are told to remove it")
      ->needs(id);
  command->add_option("--badge", options.badge, "The number for the app's icon on these devices");
}

base::Expected<std::string> cancel(const CancelOptions& options) {
  const auto channel = channel_to(options.service);
  if (!channel) return base::fail(channel.error());
  const auto stub = pb::NotificationService::NewStub(*channel);
  grpc::ClientContext context;
  set_deadline(context, base::SystemClock(), options.timeout);
  pb::CancelNotificationResponse response;
  const grpc::Status status =
      stub->CancelNotification(&context, cancel_request(options), &response);
  if (!status.ok()) return base::fail(base::Errc::unavailable, describe(status));
  return cancel_report(options, response);
}

}  // namespace notify::edges
