#pragma once
// notification.PreferenceService: decode, call a flow, encode.

#include "edges/grpc/unary.hpp"
#include "flows/preferences.hpp"
#include "notification/preference.grpc.pb.h"

namespace notify::edges {

/// Raw: requests arrive as bytes and are decoded by us (see decode.hpp).
using RawPreferenceService = notification::PreferenceService::WithRawMethod_GetUserSettings<
    notification::PreferenceService::WithRawMethod_UpdateUserSettings<
        notification::PreferenceService::WithRawMethod_SetQuietHours<
            notification::PreferenceService::WithRawMethod_ListConversationSettings<
                notification::PreferenceService::WithRawMethod_GetConversationSettings<
                    notification::PreferenceService::WithRawMethod_UpdateConversationSettings<
                        notification::PreferenceService::WithRawMethod_MuteConversation<
                            notification::PreferenceService::WithRawMethod_UnmuteConversation<
                                notification::PreferenceService::Service>>>>>>>>;

/// The methods of one worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
class PreferenceRpc {
 public:
  PreferenceRpc(RpcHost& host, RawPreferenceService& service, flows::Preferences& preferences);
  void start();

 private:
  template <class Response>
  using Answering = async::Task<flows::Answer<Response>>;
  using UserSettings = notification::UserSettings;
  using ConversationSettings = notification::ConversationSettings;

  Answering<UserSettings> get_user(const notification::GetUserSettingsRequest& request,
                                   RpcCall call);
  Answering<UserSettings> update_user(const notification::UpdateUserSettingsRequest& request,
                                      RpcCall call);
  Answering<UserSettings> set_quiet_hours(const notification::SetQuietHoursRequest& request,
                                          RpcCall call);
  Answering<notification::ListConversationSettingsResponse> list(
      const notification::ListConversationSettingsRequest& request, RpcCall call);
  Answering<ConversationSettings> get_conversation(
      const notification::GetConversationSettingsRequest& request, RpcCall call);
  Answering<ConversationSettings> update_conversation(
      const notification::UpdateConversationSettingsRequest& request, RpcCall call);
  Answering<ConversationSettings> mute(const notification::MuteConversationRequest& request,
                                       RpcCall call);
  Answering<ConversationSettings> unmute(const notification::UnmuteConversationRequest& request,
                                         RpcCall call);
  Answering<ConversationSettings> change_conversation(base::UserId user,
                                                      base::ConversationId conversation,
                                                      std::int32_t revision, RpcCall call,
                                                      flows::Preferences::EditConversation edit);

  RpcHost& host_;
  flows::Preferences& preferences_;
  UnaryMethod<notification::GetUserSettingsRequest, UserSettings> get_user_;
  UnaryMethod<notification::UpdateUserSettingsRequest, UserSettings> update_user_;
  UnaryMethod<notification::SetQuietHoursRequest, UserSettings> set_quiet_hours_;
  UnaryMethod<notification::ListConversationSettingsRequest,
              notification::ListConversationSettingsResponse>
      list_;
  UnaryMethod<notification::GetConversationSettingsRequest, ConversationSettings> get_conversation_;
  UnaryMethod<notification::UpdateConversationSettingsRequest, ConversationSettings>
      update_conversation_;
  UnaryMethod<notification::MuteConversationRequest, ConversationSettings> mute_;
  UnaryMethod<notification::UnmuteConversationRequest, ConversationSettings> unmute_;
};

}  // namespace notify::edges
