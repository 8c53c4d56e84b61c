#pragma once
// What commands that call a running service have in common.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>

#include "base/clock.hpp"

namespace notify::edges {

/// What the service answered, with every field it refused.
[[nodiscard]] std::string describe(const grpc::Status& status);

/// Real time: gRPC takes no other.
void set_deadline(grpc::ClientContext& context, const base::Clock& clock,
                  std::chrono::milliseconds timeout);

}  // namespace notify::edges
