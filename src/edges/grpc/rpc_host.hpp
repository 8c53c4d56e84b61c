#pragma once
// What the methods of a worker share.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/fair_shares.hpp"
#include "edges/grpc/call.hpp"
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
  MethodTable methods;  ///< those that were built with this host
};

/// The host a call comes from: all connections of one are one lane.
[[nodiscard]] inline std::string lane_of(const grpc::ServerContext& context) {
  std::string peer = context.peer();  // "ipv4:10.0.0.7:34567"
  return peer.substr(0, peer.rfind(':'));
}

/// The address in a lane, `10.0.0.7` or `::1`; empty for a caller on a unix socket.
[[nodiscard]] inline std::string ip_of(std::string_view lane) {
  // "ipv6:%5B::1%5D": gRPC writes it as in a URI.
  constexpr std::string_view kOpen = "%5B";
  constexpr std::string_view kClose = "%5D";
  const bool is_ip = lane.starts_with("ipv4:") || lane.starts_with("ipv6:");
  if (!is_ip) return "";
  lane.remove_prefix(lane.find(':') + 1);
  if (lane.starts_with(kOpen)) lane.remove_prefix(kOpen.size());
  if (lane.ends_with(kClose)) lane.remove_suffix(kClose.size());
  return std::string(lane);
}

}  // namespace notify::edges
