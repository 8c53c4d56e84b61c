#pragma once
// StreamNotifications: items in, results out, each in its own time. Reading, accepting and writing
// run beside each other. The window of unanswered items bounds them: an item leaves it when its
// result is written.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <functional>
#include <memory>
#include <set>

#include "edges/grpc/rpc_host.hpp"

namespace notify::edges {

/// All streams of a worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
/// Limits:    of a stream, 4,096 items or 4 MiB that are not answered. An open stream, and each of
///            these items, has a share of RpcHost::shares.
class NotificationStreams {
 public:
  using ReaderWriter = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;
  /// Asks gRPC for the next stream: the generated Request<Method> of a raw service.
  using Listen = std::function<void(grpc::ServerContext*, ReaderWriter*,
                                    grpc::ServerCompletionQueue*, void* tag)>;

  NotificationStreams(RpcHost& host, flows::Accept& accept, Listen listen)
      : host_(host), accept_(accept), listen_(std::move(listen)) {}

  /// Takes streams from now on.
  void start() { host_.calls.spawn(serve_next()); }
  /// Answers what has been read, and ends every stream with UNAVAILABLE.
  void end_all();

 private:
  class Stream;
  struct Items;
  async::Task<void> serve_next();
  void admit(Stream& stream);
  async::Task<void> serve(std::shared_ptr<Stream> stream);
  async::Task<void> read(std::shared_ptr<Stream> stream);
  async::Task<bool> take_shares(Stream& stream, std::size_t count);
  async::Task<void> answer(std::shared_ptr<Stream> stream, Items items);
  async::Task<void> write(std::shared_ptr<Stream> stream);

  RpcHost& host_;
  flows::Accept& accept_;
  Listen listen_;
  bool ending_ = false;
  std::set<Stream*> open_;
};

}  // namespace notify::edges
