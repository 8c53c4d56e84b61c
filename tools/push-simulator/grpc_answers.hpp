#pragma once
// How the simulated services over gRPC answer: rightly, or as a fault says.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "push-simulator/faults.hpp"

namespace notify::simulator {

/// Calls by method and by outcome. Threading: any.
class CallStats {
 public:
  void count(std::string_view method, grpc::StatusCode code);
  void clear();
  [[nodiscard]] nlohmann::json stats() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<int, std::uint64_t>, std::less<>> calls_;
};

struct GrpcCall {
  FaultTarget target;
  std::string_view method;
  std::string_view token;  ///< of a device that it is about
};

/// Never an answer, until the caller gives up.
[[nodiscard]] grpc::ServerUnaryReactor* hold();
[[nodiscard]] grpc::ServerUnaryReactor* answer_after(std::chrono::milliseconds delay,
                                                     const grpc::Status& status);

/// `work` makes the right answer; faults come before it.
template <class Work>
grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, FaultBook& faults,
                                 CallStats& stats, const GrpcCall& call, const Work& work) {
  const auto fault = faults.take(call.target, call.token, call.method);
  if (!fault) {
    const grpc::Status status = work();
    stats.count(call.method, status.error_code());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }
  if (fault->kind == FaultKind::hang) {
    stats.count(call.method, grpc::StatusCode::CANCELLED);
    return hold();
  }
  const grpc::Status status =
      fault->kind == FaultKind::answer
          ? grpc::Status(static_cast<grpc::StatusCode>(fault->grpc_status), fault->reason)
          : work();
  stats.count(call.method, status.error_code());
  return answer_after(fault->delay, status);
}

}  // namespace notify::simulator
