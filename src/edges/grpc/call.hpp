#pragma once
// What a method is told of a call besides its request, whichever edge the call came in by.

#include <optional>

#include "base/deadline.hpp"
#include "base/strong_id.hpp"
#include "edges/grpc/spoilt_items.hpp"
#include "flows/accept.hpp"

namespace notify::edges {

struct RpcCall {
  flows::Caller caller;
  base::Deadline deadline;
  /// Set if an end user calls for themselves: then nothing of another user's may be shown or
  /// changed.
  std::optional<base::UserId> user = std::nullopt;
  /// For a method that reads item by item: the items that could not be read.
  SpoiltItems spoilt{};
};

}  // namespace notify::edges
