#pragma once
// notification.AdminService: decode, call a flow or a store, encode.

#include "edges/grpc/replay_stream.hpp"
#include "edges/grpc/unary.hpp"
#include "notification/admin.grpc.pb.h"
#include "stores/dead_letters.hpp"

namespace notify::edges {

/// Raw: requests arrive as bytes and are decoded by us (see decode.hpp).
using RawAdminService = notification::AdminService::WithRawMethod_ListDeadLetters<
    notification::AdminService::WithRawMethod_ReplayNotifications<
        notification::AdminService::Service>>;

/// The methods of one worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
class AdminRpc {
 public:
  AdminRpc(RpcHost& host, RawAdminService& service, stores::DeadLetters& letters,
           flows::Replay& replay);
  void start();
  /// Ends the streams, so that the server can shut down.
  void end_streams() { replays_.end_all(); }

 private:
  async::Task<flows::Answer<notification::ListDeadLettersResponse>> list(
      const notification::ListDeadLettersRequest& request, RpcCall call);

  RpcHost& host_;
  stores::DeadLetters& letters_;
  UnaryMethod<notification::ListDeadLettersRequest, notification::ListDeadLettersResponse> list_;
  ReplayStreams replays_;
};

}  // namespace notify::edges
