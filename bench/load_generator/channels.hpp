#pragma once
// Connections to the service. gRPC shares one connection between all channels that look alike;
// these do not.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "notification/notification.grpc.pb.h"

namespace notify::bench {

using Stub = notification::NotificationService::Stub;

[[nodiscard]] inline std::vector<std::unique_ptr<Stub>> open_channels(const std::string& target,
                                                                      std::size_t count) {
  std::vector<std::unique_ptr<Stub>> stubs;
  for (std::size_t i = 0; i < count; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    stubs.push_back(notification::NotificationService::NewStub(
        grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments)));
  }
  return stubs;
}

}  // namespace notify::bench
