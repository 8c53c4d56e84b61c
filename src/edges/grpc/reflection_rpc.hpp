#pragma once
// grpc.reflection.v1 and v1alpha on our completion queues, for the reason of health_rpc.hpp.

#include <grpcpp/support/async_stream.h>

#include <functional>
#include <memory>
#include <set>

#include "edges/grpc/rpc_host.hpp"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace notify::edges {

/// The service under both of its names: the messages are the same.
struct RawReflectionServices {
  grpc::reflection::v1::ServerReflection::WithRawMethod_ServerReflectionInfo<
      grpc::reflection::v1::ServerReflection::Service>
      v1;
  grpc::reflection::v1alpha::ServerReflection::WithRawMethod_ServerReflectionInfo<
      grpc::reflection::v1alpha::ServerReflection::Service>
      v1alpha;
};

/// All streams of a worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
class ReflectionRpc {
 public:
  ReflectionRpc(RpcHost& host, RawReflectionServices& services)
      : host_(host), services_(services) {}
  void start();
  /// Ends the streams, so that the server can shut down.
  void end_streams();

 private:
  using ReaderWriter = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;
  /// Asks gRPC for the next stream of one of the two.
  using Listen = std::function<void(grpc::ServerContext*, ReaderWriter*, void* tag)>;
  struct Stream;

  async::Task<void> serve_next(Listen listen);
  async::Task<grpc::Status> answer_all(std::shared_ptr<Stream> stream);

  RpcHost& host_;
  RawReflectionServices& services_;
  std::set<Stream*> open_;
  bool ending_ = false;
};

}  // namespace notify::edges
