#include "clients/unary_call.hpp"

namespace notify::clients {

base::Errc code_of(grpc::StatusCode code) {
  using base::Errc;
  switch (code) {
    case grpc::StatusCode::DEADLINE_EXCEEDED: return Errc::timed_out;
    case grpc::StatusCode::NOT_FOUND: return Errc::not_found;
    case grpc::StatusCode::INVALID_ARGUMENT: return Errc::invalid;
    case grpc::StatusCode::UNAUTHENTICATED: return Errc::unauthenticated;
    case grpc::StatusCode::PERMISSION_DENIED: return Errc::permission_denied;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return Errc::overloaded;
    case grpc::StatusCode::CANCELLED: return Errc::cancelled;
    default: return Errc::unavailable;
  }
}

std::shared_ptr<grpc::Channel> own_channel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Each worker has a connection of its own; channels with equal arguments would share one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace notify::clients
