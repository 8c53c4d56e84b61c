#pragma once
// What the methods of a worker share.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <string_view>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/fair_shares.hpp"
#include "edges/grpc/call.hpp"
#include "edges/grpc/caller.hpp"
#include "edges/grpc/method_table.hpp"
#include "net/grpc/completion_pump.hpp"

namespace notify::edges {

/// Notifications of one call, or of one message of a stream.
inline constexpr std::size_t kItemsMax = 1000;

/// Threading: the worker's executor.
struct RpcHost {
  async::Timers& timers;
  async::TaskGroup& calls;
  grpc::ServerCompletionQueue* queue;
  /// Calls, and notifications in them, that are under way at once.
  base::FairShares shares{10'000};
  std::chrono::milliseconds deadline_max{10'000};  ///< for calls that bring none, or a later one
  std::function<void(std::string_view method, std::chrono::nanoseconds took)> on_done;
  CallerProof proof = CallerProof::none;
  MethodTable methods;  ///< those that were built with this host
};

}  // namespace notify::edges
