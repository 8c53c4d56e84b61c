#pragma once
// One unary method on a completion queue: takes calls, runs each as a coroutine of the worker, and
// answers. What a method does is a function from its request to an Answer; all else is here once.

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_unary_call.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include "edges/grpc/decode.hpp"
#include "edges/grpc/rpc_host.hpp"
#include "edges/grpc/status.hpp"

namespace notify::edges {

/// Parses the bytes of a request, and notes in `spoilt` which items cannot be read. Returns what is
/// wrong with the request as a whole.
template <class Request>
using Reader = std::function<std::optional<rules::Violations>(grpc::ByteBuffer&, Request&,
                                                              SpoiltItems& spoilt)>;

/// For a request that is refused as a whole if a part of it cannot be read.
template <class Request>
std::optional<rules::Violations> read_whole(grpc::ByteBuffer& bytes, Request& request,
                                            SpoiltItems&) {
  return decode(bytes, request);
}

template <class Request, class Response>
class UnaryMethod {
 public:
  using Writer = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;
  /// Asks gRPC for the next call: the generated Request<Method> of a raw service.
  using Listen = std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, Writer*,
                                    grpc::ServerCompletionQueue*, void* tag)>;
  using Handler = std::function<async::Task<flows::Answer<Response>>(const Request&, RpcCall)>;

  /// Lifetime: everything outlives the completion queue's shutdown.
  UnaryMethod(std::string name, RpcHost& host, Listen listen, Handler handler,
              Reader<Request> reader = read_whole<Request>)
      : name_(std::move(name)),
        host_(host),
        listen_(std::move(listen)),
        handler_(std::move(handler)),
        reader_(std::move(reader)) {
    host_.methods.add(name_, *Request::descriptor(), [this](const auto& request, RpcCall call) {
      return call_here(request, std::move(call));
    });
  }

  /// Makes `count` calls able to arrive at once; each one that arrives is replaced.
  void start(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) (new Call(*this))->listen();
  }

 private:
  /// Deletes itself when gRPC is done with it.
  class Call final : public net::CompletionEvent {
   public:
    explicit Call(UnaryMethod& method) : method_(method), writer_(&context_) {}

    void listen() { method_.listen_(&context_, &bytes_, &writer_, method_.host_.queue, this); }

    void complete(bool ok) override {
      if (state_ == State::finishing || !ok) {  // !ok while listening: the server shuts down
        delete this;
        return;
      }
      state_ = State::handling;
      (new Call(method_))->listen();
      RpcHost& host = method_.host_;
      started_ = host.timers.clock().steady_now();
      auto caller = caller_of(context_, host.proof);
      if (!caller) return finish(flows::refuse(std::move(caller).error()));
      caller_ = std::move(*caller);
      held_.emplace(host.shares, caller_.lane, 1);
      if (!*held_) {
        finish(flows::refuse({base::Errc::overloaded, "too many calls in flight"}));
      } else if (!host.calls.spawn(run())) {
        finish(flows::refuse({base::Errc::unavailable, "the service is stopping"}));
      }
    }

   private:
    enum class State { listening, handling, finishing };

    async::Task<void> run() {
      std::optional<flows::Answer<Response>> answer;
      try {
        answer = co_await handle();
      } catch (const boost::system::system_error&) {
        answer.emplace(flows::refuse({base::Errc::unavailable, "the service is stopping"}));
      }
      finish(std::move(*answer));
    }

    async::Task<flows::Answer<Response>> handle() {
      RpcCall call{caller_, deadline()};
      if (auto violations = method_.reader_(bytes_, request_, call.spoilt)) {
        co_return flows::refuse(std::move(*violations));
      }
      co_return co_await method_.handler_(request_, std::move(call));
    }

    [[nodiscard]] base::Deadline deadline() const {
      const RpcHost& host = method_.host_;
      const base::Deadline cap = host.timers.after(host.deadline_max);
      const auto left = context_.deadline() - host.timers.clock().now();
      // A call without a deadline has one at the end of time, which overflows when added to.
      if (left > host.deadline_max) return cap;
      return host.timers.after(std::chrono::duration_cast<std::chrono::nanoseconds>(left));
    }

    void finish(flows::Answer<Response> answer) {
      state_ = State::finishing;
      RpcHost& host = method_.host_;
      host.on_done(method_.name_, host.timers.clock().steady_now() - started_);
      if (answer) {
        writer_.Finish(to_bytes(*answer), grpc::Status::OK, this);
      } else {
        writer_.FinishWithError(to_status(answer.error()), this);
      }
    }

    UnaryMethod& method_;
    State state_ = State::listening;
    grpc::ServerContext context_;
    grpc::ByteBuffer bytes_;
    Request request_;
    Writer writer_;
    base::SteadyTime started_;
    flows::Caller caller_;
    std::optional<base::HeldShares> held_;
  };

  /// For a caller in this process, under the same limits and counted alike.
  async::Task<MessageAnswer> call_here(const google::protobuf::Message& request, RpcCall call) {
    const base::SteadyTime started = host_.timers.clock().steady_now();
    const base::HeldShares held(host_.shares, call.caller.lane, 1);
    if (!held) co_return flows::refuse({base::Errc::overloaded, "too many calls in flight"});
    auto answer = co_await handler_(static_cast<const Request&>(request), std::move(call));
    host_.on_done(name_, host_.timers.clock().steady_now() - started);
    if (!answer) co_return base::Unexpected<flows::Refusal>(std::move(answer).error());
    co_return std::unique_ptr<google::protobuf::Message>(
        std::make_unique<Response>(std::move(*answer)));
  }

  std::string name_;
  RpcHost& host_;
  Listen listen_;
  Handler handler_;
  Reader<Request> reader_;
};

}  // namespace notify::edges
