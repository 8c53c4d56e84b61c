#pragma once
// One call to another service, with a deadline and the service's gRPC status as an error of ours.
// Private to the clients over gRPC.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "net/grpc/completion_pump.hpp"

namespace notify::clients {

/// Under way. It holds itself until gRPC is done with it, whatever became of the waiter.
template <class Response>
class UnaryCall final : public net::CompletionEvent {
 public:
  explicit UnaryCall(async::Executor executor) : done(std::move(executor)) {}

  void complete(bool) override {
    done.complete({});
    self.reset();
  }

  grpc::ClientContext context;
  Response response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  async::OneShot<async::Unit> done;
  std::shared_ptr<UnaryCall> self;
};

/// Cancels the call if its waiter goes away early.
template <class Response>
struct CancelUnlessDone {
  std::shared_ptr<UnaryCall<Response>> call;
  ~CancelUnlessDone() {
    if (!call->done.is_complete()) call->context.TryCancel();
  }
};

[[nodiscard]] base::Errc code_of(grpc::StatusCode code);

/// A connection of this worker's own; it is made with the first call.
[[nodiscard]] std::shared_ptr<grpc::Channel> own_channel(const std::string& address);

/// What the calls of a client share.
struct Caller {
  std::string service;  ///< its name, for errors
  async::Executor executor;
  grpc::CompletionQueue* queue;
  const base::Clock& clock;
};

/// How a stub begins a call; the generated PrepareAsync... of `Stub`.
template <class Stub, class Request, class Response>
using Prepare = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (Stub::*)(
    grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

/// Lifetime: `caller` and `stub` outlive the call.
/// Cancel:   the call is cancelled; it may have had its effect.
template <class Stub, class Request, class Response>
async::Task<base::Expected<Response>> call_unary(const Caller& caller, Stub& stub,
                                                 Prepare<Stub, Request, Response> prepare,
                                                 Request request, base::Deadline deadline) {
  auto call = std::make_shared<UnaryCall<Response>>(caller.executor);
  call->self = call;
  const std::chrono::system_clock::time_point at =
      caller.clock.now() +
      std::chrono::ceil<std::chrono::milliseconds>(deadline.left(caller.clock.steady_now()));
  call->context.set_deadline(at);
  call->reader = (stub.*prepare)(&call->context, request, caller.queue);
  call->reader->StartCall();
  call->reader->Finish(&call->response, &call->status, call.get());
  const CancelUnlessDone<Response> guard{call};
  co_await call->done.wait();
  if (!call->status.ok()) {
    // The message of another service may hold anything: only the code is ours to log.
    co_return base::fail(code_of(call->status.error_code()),
                         caller.service + " answered with gRPC status " +
                             std::to_string(static_cast<int>(call->status.error_code())));
  }
  co_return std::move(call->response);
}

}  // namespace notify::clients
