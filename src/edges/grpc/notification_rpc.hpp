#pragma once
// notification.NotificationService: decode, call a flow or a store, encode.

#include "edges/grpc/notification_stream.hpp"
#include "edges/grpc/unary.hpp"
#include "flows/accept.hpp"
#include "flows/cancel.hpp"
#include "flows/retract.hpp"
#include "notification/notification.grpc.pb.h"
#include "stores/history.hpp"

namespace notify::edges {

/// Raw: requests arrive as bytes and are decoded by us (see decode.hpp).
using RawNotificationService = notification::NotificationService::WithRawMethod_SendNotification<
    notification::NotificationService::WithRawMethod_BatchSendNotifications<
        notification::NotificationService::WithRawMethod_StreamNotifications<
            notification::NotificationService::WithRawMethod_GetNotification<
                notification::NotificationService::WithRawMethod_CancelNotification<
                    notification::NotificationService::WithRawMethod_ListNotifications<
                        notification::NotificationService::Service>>>>>>;

/// The methods of one worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
class NotificationRpc {
 public:
  NotificationRpc(RpcHost& host, RawNotificationService& service, flows::Accept& accept,
                  flows::Cancel& cancel_flow, flows::Retract& retract_flow,
                  stores::History& history);
  void start();
  /// Ends the streams, each with what it still has to answer, so that the server can shut down.
  void end_streams() { streams_.end_all(); }

 private:
  async::Task<flows::Answer<notification::SendNotificationResponse>> send(
      const notification::SendNotificationRequest& request, RpcCall call);
  async::Task<flows::Answer<notification::BatchSendNotificationsResponse>> batch(
      const notification::BatchSendNotificationsRequest& request, RpcCall call);
  async::Task<flows::Answer<notification::GetNotificationResponse>> get(
      const notification::GetNotificationRequest& request, RpcCall call);
  async::Task<flows::Answer<notification::CancelNotificationResponse>> cancel(
      const notification::CancelNotificationRequest& request, RpcCall call);
  async::Task<flows::Answer<notification::ListNotificationsResponse>> list(
      const notification::ListNotificationsRequest& request, RpcCall call);

  RpcHost& host_;
  flows::Accept& accept_;
  flows::Cancel& cancel_flow_;
  flows::Retract& retract_flow_;
  stores::History& history_;
  UnaryMethod<notification::SendNotificationRequest, notification::SendNotificationResponse> send_;
  UnaryMethod<notification::BatchSendNotificationsRequest,
              notification::BatchSendNotificationsResponse>
      batch_;
  UnaryMethod<notification::GetNotificationRequest, notification::GetNotificationResponse> get_;
  UnaryMethod<notification::CancelNotificationRequest, notification::CancelNotificationResponse>
      cancel_;
  UnaryMethod<notification::ListNotificationsRequest, notification::ListNotificationsResponse>
      list_;
  NotificationStreams streams_;
};

}  // namespace notify::edges
