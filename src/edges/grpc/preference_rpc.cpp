#include "edges/grpc/preference_rpc.hpp"

#include "edges/grpc/preference_messages.hpp"
#include "edges/grpc/wire.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using flows::Answer;
using flows::refuse;

/// Calls that can wait to arrive, for each method.
constexpr std::size_t kPreferenceListening = 16;

/// "Until it is unmuted": the last second that a Timestamp can hold.
const base::WallTime kForEver(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) +
                              std::chrono::hours(24) - std::chrono::seconds(1));

/// What every request names; what is wrong with it is added to `violations`.
template <class Request>
base::UserId user_of(const Request& request, rules::Violations& violations) {
  const auto user = base::UserId::parse(request.user_id());
  if (!user) violations.push_back({"user_id", kUuidForm});
  return user.value_or(base::UserId());
}
template <class Request>
base::ConversationId conversation_of(const Request& request, rules::Violations& violations) {
  const auto conversation = base::ConversationId::parse(request.conversation_id());
  if (!conversation) violations.push_back({"conversation_id", kUuidForm});
  return conversation.value_or(base::ConversationId());
}

flows::PreferenceCall call_of(base::UserId user, RpcCall call) {
  const flows::Caller& caller = call.caller;
  return {user, caller.identity.empty() ? caller.lane : caller.identity, call.deadline};
}

template <class Message, class Row>
Answer<Message> answer_with(base::UserId user, Answer<Row> row) {
  if (!row) return base::Unexpected(std::move(row).error());
  Message message;
  edges::encode(user, *row, message);
  return message;
}

}  // namespace

#define NOTIFY_METHOD(name, handler)                                                 \
  #name, host,                                                                       \
      [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) { \
        service.Request##name(context, bytes, writer, queue, queue, tag);            \
      },                                                                             \
      [this](const auto& request, RpcCall call) { return handler(request, std::move(call)); }

PreferenceRpc::PreferenceRpc(RpcHost& host, RawPreferenceService& service,
                             flows::Preferences& preferences)
    : host_(host),
      preferences_(preferences),
      get_user_(NOTIFY_METHOD(GetUserSettings, get_user)),
      update_user_(NOTIFY_METHOD(UpdateUserSettings, update_user)),
      set_quiet_hours_(NOTIFY_METHOD(SetQuietHours, set_quiet_hours)),
      list_(NOTIFY_METHOD(ListConversationSettings, list)),
      get_conversation_(NOTIFY_METHOD(GetConversationSettings, get_conversation)),
      update_conversation_(NOTIFY_METHOD(UpdateConversationSettings, update_conversation)),
      mute_(NOTIFY_METHOD(MuteConversation, mute)),
      unmute_(NOTIFY_METHOD(UnmuteConversation, unmute)) {}
#undef NOTIFY_METHOD

void PreferenceRpc::start() {
  get_user_.start(kPreferenceListening);
  update_user_.start(kPreferenceListening);
  set_quiet_hours_.start(kPreferenceListening);
  list_.start(kPreferenceListening);
  get_conversation_.start(kPreferenceListening);
  update_conversation_.start(kPreferenceListening);
  mute_.start(kPreferenceListening);
  unmute_.start(kPreferenceListening);
}

async::Task<Answer<pb::UserSettings>> PreferenceRpc::get_user(
    const pb::GetUserSettingsRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return answer_with<pb::UserSettings>(user, co_await preferences_.user(call_of(user, call)));
}

async::Task<Answer<pb::UserSettings>> PreferenceRpc::update_user(
    const pb::UpdateUserSettingsRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  const auto edit = [&request](rules::UserColumns& columns) {
    return apply(request.settings(), request.update_mask(), columns);
  };
  co_return answer_with<pb::UserSettings>(
      user,
      co_await preferences_.change_user(call_of(user, call), request.settings().revision(), edit));
}

async::Task<Answer<pb::UserSettings>> PreferenceRpc::set_quiet_hours(
    const pb::SetQuietHoursRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  if (!request.has_quiet_hours()) {
    violations.push_back({"quiet_hours", "is required: an empty one switches them off"});
  }
  if (!violations.empty()) co_return refuse(std::move(violations));
  const auto edit = [&request](rules::UserColumns& columns) {
    return apply(request.quiet_hours(), columns);
  };
  co_return answer_with<pb::UserSettings>(
      user, co_await preferences_.change_user(call_of(user, call), request.revision(), edit));
}

async::Task<Answer<pb::ListConversationSettingsResponse>> PreferenceRpc::list(
    const pb::ListConversationSettingsRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  if (request.page_size() < 0 || request.page_size() > kPageMax) {
    violations.push_back({"page_size", "must be from 1 to 100, or 0 for 20"});
  }
  std::optional<base::ConversationId> after;
  if (!request.page_token().empty()) {
    after = base::ConversationId::parse(request.page_token());
    if (!after) violations.push_back({"page_token", kPageTokenForm});
  }
  if (!violations.empty()) co_return refuse(std::move(violations));

  const std::int32_t size = request.page_size() == 0 ? kPageDefault : request.page_size();
  auto rows = co_await preferences_.conversations(call_of(user, call), after, size + 1);
  if (!rows) co_return base::Unexpected(std::move(rows).error());
  const bool more = rows->size() > static_cast<std::size_t>(size);
  if (more) rows->pop_back();
  pb::ListConversationSettingsResponse response;
  for (const stores::ConversationRow& row : *rows) encode(user, row, *response.add_conversations());
  if (more) response.set_next_page_token(rows->back().conversation.to_string());
  co_return response;
}

async::Task<Answer<pb::ConversationSettings>> PreferenceRpc::get_conversation(
    const pb::GetConversationSettingsRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  const base::ConversationId conversation = conversation_of(request, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return answer_with<pb::ConversationSettings>(
      user, co_await preferences_.conversation(call_of(user, call), conversation));
}

async::Task<Answer<pb::ConversationSettings>> PreferenceRpc::update_conversation(
    const pb::UpdateConversationSettingsRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  const base::ConversationId conversation = conversation_of(request, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return co_await change_conversation(user, conversation, request.settings().revision(), call,
                                         [&request](rules::ConversationColumns& columns) {
                                           return apply(request.settings(), request.update_mask(),
                                                        columns);
                                         });
}

async::Task<Answer<pb::ConversationSettings>> PreferenceRpc::mute(
    const pb::MuteConversationRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  const base::ConversationId conversation = conversation_of(request, violations);
  base::WallTime until = kForEver;
  if (request.has_muted_until()) {
    if (is_valid(request.muted_until())) until = net::to_wall_time(request.muted_until());
    if (!is_valid(request.muted_until()) || until <= host_.timers.clock().now()) {
      violations.push_back({"muted_until", "must be in the future and before the year 10000"});
    }
  }
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return co_await change_conversation(user, conversation, 0, call,
                                         [until](rules::ConversationColumns& columns) {
                                           columns.muted_until = until;
                                           return rules::Violations();
                                         });
}

async::Task<Answer<pb::ConversationSettings>> PreferenceRpc::unmute(
    const pb::UnmuteConversationRequest& request, RpcCall call) {
  rules::Violations violations;
  const base::UserId user = user_of(request, violations);
  const base::ConversationId conversation = conversation_of(request, violations);
  if (!violations.empty()) co_return refuse(std::move(violations));
  co_return co_await change_conversation(user, conversation, 0, call,
                                         [](rules::ConversationColumns& columns) {
                                           columns.muted_until.reset();
                                           return rules::Violations();
                                         });
}

async::Task<Answer<pb::ConversationSettings>> PreferenceRpc::change_conversation(
    base::UserId user, base::ConversationId conversation, std::int32_t revision, RpcCall call,
    flows::Preferences::EditConversation edit) {
  co_return answer_with<pb::ConversationSettings>(
      user, co_await preferences_.change_conversation(call_of(user, call), conversation, revision,
                                                      std::move(edit)));
}

}  // namespace notify::edges
