#pragma once
// StreamNotifications: items in, results out, each in its own time. Reading, accepting and writing
// run beside each other; what bounds them is the window of unanswered items.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <functional>
#include <memory>
#include <set>

#include "edges/grpc/rpc_host.hpp"
#include "notification/notification.pb.h"

namespace notify::edges {

/// All streams of a worker.
/// Threading: the worker's executor.
/// Lifetime:  all it is given outlives it, and it outlives the queue's shutdown.
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
  async::Task<void> serve_next();
  async::Task<void> serve(std::shared_ptr<Stream> stream);
  async::Task<void> read(std::shared_ptr<Stream> stream);
  async::Task<void> answer(std::shared_ptr<Stream> stream,
                           notification::StreamNotificationsRequest message);
  async::Task<void> write(std::shared_ptr<Stream> stream);

  RpcHost& host_;
  flows::Accept& accept_;
  Listen listen_;
  bool ending_ = false;
  std::set<Stream*> open_;
};

}  // namespace notify::edges
