#include "edges/grpc/health_rpc.hpp"

#include "edges/grpc/services.hpp"

namespace notify::edges {
namespace {

using flows::refuse;

constexpr std::size_t kHealthListening = 2;
constexpr std::chrono::milliseconds kLook{250};

}  // namespace

struct HealthRpc::Watch {
  explicit Watch(const async::Executor& executor) : writer(&context), over(executor) {
    context.AsyncNotifyWhenDone(&over);  // else IsCancelled() cannot tell
  }
  grpc::ServerContext context;
  grpc::ByteBuffer request;
  grpc::ServerAsyncWriter<grpc::ByteBuffer> writer;
  net::AwaitableEvent over;
};

HealthRpc::HealthRpc(RpcHost& host, RawHealthService& service, const std::atomic<bool>& serving)
    : host_(host),
      service_(service),
      serving_(serving),
      check_(
          "Check", host,
          [&service](auto* context, auto* bytes, auto* writer, auto* queue, void* tag) {
            service.RequestCheck(context, bytes, writer, queue, queue, tag);
          },
          [this](const Request& request, RpcCall call) {
            return check(request, std::move(call));
          }) {}

void HealthRpc::start() {
  check_.start(kHealthListening);
  host_.calls.spawn(serve_next());
}

HealthRpc::Response::ServingStatus HealthRpc::status_of(const std::string& service) const {
  if (!service.empty() && !is_service(service)) return Response::SERVICE_UNKNOWN;
  return serving_ ? Response::SERVING : Response::NOT_SERVING;
}

async::Task<flows::Answer<HealthRpc::Response>> HealthRpc::check(const Request& request, RpcCall) {
  Response response;
  response.set_status(status_of(request.service()));
  if (response.status() == Response::SERVICE_UNKNOWN) {
    co_return refuse({base::Errc::not_found, "there is no such service"});
  }
  co_return response;
}

async::Task<void> HealthRpc::serve_next() {
  auto watch = std::make_shared<Watch>(host_.timers.executor());
  net::AwaitableEvent arrived(host_.timers.executor());
  service_.RequestWatch(&watch->context, &watch->request, &watch->writer, host_.queue, host_.queue,
                        &arrived);
  if (!co_await arrived.wait()) co_return;  // the server shuts down
  host_.calls.spawn(serve_next());
  const grpc::Status status = co_await this->watch(watch);
  net::AwaitableEvent finished(host_.timers.executor());
  watch->writer.Finish(status, &finished);
  co_await finished.wait();
  co_await watch->over.wait();
}

async::Task<grpc::Status> HealthRpc::watch(std::shared_ptr<Watch> watch) {
  auto caller = caller_of(watch->context, host_.proof);
  if (!caller) co_return to_status(refuse(std::move(caller).error()).error());
  const base::HeldShares held(host_.shares, caller->lane, 1);
  if (!held) co_return to_status(refuse({base::Errc::overloaded, "too many calls"}).error());
  Request request;
  if (auto malformed = decode(watch->request, request)) {
    co_return to_status(refuse(std::move(*malformed)).error());
  }
  std::optional<Response::ServingStatus> told;
  while (!watch->context.IsCancelled()) {
    const bool last_look = ending_;
    const Response::ServingStatus status = status_of(request.service());
    if (told != status) {
      Response response;
      response.set_status(status);
      net::AwaitableEvent written(host_.timers.executor());
      watch->writer.Write(to_bytes(response), &written);
      if (!co_await written.wait()) break;
      told = status;
    }
    if (last_look) {
      co_return to_status(refuse({base::Errc::unavailable, "the service is stopping"}).error());
    }
    co_await host_.timers.sleep_for(kLook);
  }
  co_return to_status(refuse({base::Errc::cancelled, "the caller is gone"}).error());
}

}  // namespace notify::edges
