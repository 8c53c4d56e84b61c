#pragma once
// grpc.health.v1.Health on our completion queues. gRPC's own would poll the connections from
// threads of its own, beside the workers' and in their way.

#include <grpcpp/support/async_stream.h>

#include <atomic>
#include <functional>
#include <memory>

#include "edges/grpc/unary.hpp"
#include "grpc/health/v1/health.grpc.pb.h"

namespace notify::edges {

using RawHealthService = grpc::health::v1::Health::WithRawMethod_Check<
    grpc::health::v1::Health::WithRawMethod_Watch<grpc::health::v1::Health::Service>>;

/// The methods of one worker. All services of ours have one status.
/// Threading: the worker's executor; `serving` may change at any time.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
/// Limits:    a change is told to those who watch within a quarter of a second.
class HealthRpc {
 public:
  HealthRpc(RpcHost& host, RawHealthService& service, const std::atomic<bool>& serving);
  void start();
  /// Ends the watches, so that the server can shut down.
  void end_streams() { ending_ = true; }

 private:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  struct Watch;

  async::Task<flows::Answer<Response>> check(const Request& request, RpcCall call);
  async::Task<void> serve_next();
  async::Task<grpc::Status> watch(std::shared_ptr<Watch> watch);
  [[nodiscard]] Response::ServingStatus status_of(const std::string& service) const;

  RpcHost& host_;
  RawHealthService& service_;
  const std::atomic<bool>& serving_;
  UnaryMethod<Request, Response> check_;
  bool ending_ = false;
};

}  // namespace notify::edges
