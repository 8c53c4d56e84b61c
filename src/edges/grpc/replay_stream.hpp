#pragma once
// ReplayNotifications: a request in, progress out, once a second until the job is done. A job lives
// as long as its stream.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <functional>
#include <memory>

#include "edges/grpc/rpc_host.hpp"
#include "flows/replay.hpp"

namespace notify::edges {

/// All replays of a worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
/// Limits:    four jobs at once; more are RESOURCE_EXHAUSTED.
class ReplayStreams {
 public:
  using Writer = grpc::ServerAsyncWriter<grpc::ByteBuffer>;
  /// Asks gRPC for the next stream: the generated Request<Method> of a raw service.
  using Listen = std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, Writer*,
                                    grpc::ServerCompletionQueue*, void* tag)>;

  ReplayStreams(RpcHost& host, flows::Replay& replay, Listen listen)
      : host_(host), replay_(replay), listen_(std::move(listen)) {}

  /// Takes streams from now on.
  void start() { host_.calls.spawn(serve_next()); }
  /// Stops every job at its next step, within a second, and ends its stream with UNAVAILABLE.
  void end_all() {
    ending_ = true;
    replay_.stop();
  }

 private:
  struct Stream;
  async::Task<void> serve_next();
  async::Task<grpc::Status> serve(std::shared_ptr<Stream> stream);
  async::Task<grpc::Status> run(std::shared_ptr<Stream> stream);
  async::Task<bool> write(std::shared_ptr<Stream> stream, flows::ReplayProgress progress);

  RpcHost& host_;
  flows::Replay& replay_;
  Listen listen_;
  std::size_t running_ = 0;
  bool ending_ = false;
};

}  // namespace notify::edges
