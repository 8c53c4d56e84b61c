#include "clients/auth_client.hpp"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "auth/auth.grpc.pb.h"
#include "net/grpc/completion_pump.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::clients {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

constexpr int kDevicesMax = 100;  // what auth.proto promises

/// One call under way. It holds itself until gRPC is done with it, whatever became of the waiter.
template <class Response>
class Call final : public net::CompletionEvent {
 public:
  explicit Call(async::Executor executor) : done(std::move(executor)) {}

  void complete(bool) override {
    done.complete({});
    self.reset();
  }

  grpc::ClientContext context;
  Response response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  async::OneShot<async::Unit> done;
  std::shared_ptr<Call> self;
};

/// Cancels the call if its waiter goes away early.
template <class Response>
struct CancelUnlessDone {
  std::shared_ptr<Call<Response>> call;
  ~CancelUnlessDone() {
    if (!call->done.is_complete()) call->context.TryCancel();
  }
};

Errc code_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::DEADLINE_EXCEEDED: return Errc::timed_out;
    case grpc::StatusCode::NOT_FOUND: return Errc::not_found;
    case grpc::StatusCode::INVALID_ARGUMENT: return Errc::invalid;
    case grpc::StatusCode::UNAUTHENTICATED: return Errc::unauthenticated;
    case grpc::StatusCode::PERMISSION_DENIED: return Errc::permission_denied;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return Errc::overloaded;
    case grpc::StatusCode::CANCELLED: return Errc::cancelled;
    default: return Errc::unavailable;
  }
}

std::optional<rules::Platform> to_platform(auth::Platform platform) {
  switch (platform) {
    case auth::PLATFORM_IOS: return rules::Platform::ios;
    case auth::PLATFORM_ANDROID: return rules::Platform::android;
    case auth::PLATFORM_WEB: return rules::Platform::web;
    default: return std::nullopt;
  }
}

Expected<std::vector<rules::Device>> to_devices(const auth::GetUserDevicesResponse& response) {
  if (response.devices_size() > kDevicesMax) {
    return fail(Errc::corrupt, "auth-service named more than 100 devices of one user");
  }
  std::vector<rules::Device> devices;
  for (const auth::Device& from : response.devices()) {
    if (!from.is_active()) continue;
    const auto id = base::DeviceId::parse(from.id());
    const auto platform = to_platform(from.platform());
    if (!id || !platform) {
      return fail(Errc::corrupt, "auth-service named a device without a valid id or platform");
    }
    devices.push_back({.id = *id,
                       .platform = *platform,
                       .token = base::Secret(from.token()),
                       .app_id = from.app_id(),
                       .registered_at = net::to_wall_time(from.registered_at())});
  }
  return devices;
}

}  // namespace

struct AuthClient::Impl {
  async::Executor executor;
  grpc::CompletionQueue* queue;
  const base::Clock& clock;
  std::unique_ptr<auth::AuthService::Stub> stub;

  template <class Request, class Response>
  using Prepare = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (
      auth::AuthService::Stub::*)(grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

  template <class Request, class Response>
  async::Task<Expected<Response>> unary(Prepare<Request, Response> prepare, Request request,
                                        base::Deadline deadline) {
    auto call = std::make_shared<Call<Response>>(executor);
    call->self = call;
    const std::chrono::system_clock::time_point at =
        clock.now() +
        std::chrono::ceil<std::chrono::milliseconds>(deadline.left(clock.steady_now()));
    call->context.set_deadline(at);
    call->reader = ((*stub).*prepare)(&call->context, request, queue);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call.get());
    const CancelUnlessDone<Response> guard{call};
    co_await call->done.wait();
    if (!call->status.ok()) {
      // The message of another service may hold anything: only the code is ours to log.
      co_return fail(code_of(call->status.error_code()),
                     "auth-service answered with gRPC status " +
                         std::to_string(static_cast<int>(call->status.error_code())));
    }
    co_return std::move(call->response);
  }
};

AuthClient::AuthClient(const std::string& address, async::Executor executor,
                       grpc::CompletionQueue* queue, const base::Clock& clock)
    : impl_(std::make_unique<Impl>(Impl{std::move(executor), queue, clock, nullptr})) {
  grpc::ChannelArguments arguments;
  // Each worker has a connection of its own; channels with equal arguments would share one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  const auto channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  impl_->stub = auth::AuthService::NewStub(channel);
}

AuthClient::~AuthClient() = default;

async::Task<Expected<std::vector<rules::Device>>> AuthClient::user_devices(
    base::UserId user, base::Deadline deadline) {
  auth::GetUserDevicesRequest request;
  request.set_user_id(user.to_string());
  auto response = co_await impl_->unary(&auth::AuthService::Stub::PrepareAsyncGetUserDevices,
                                        std::move(request), deadline);
  if (!response) {
    // A user that auth-service does not know has no devices.
    if (response.error().code == Errc::not_found) co_return std::vector<rules::Device>{};
    co_return fail(std::move(response).error());
  }
  co_return to_devices(*response);
}

async::Task<Expected<void>> AuthClient::report_invalid_token(InvalidToken report,
                                                             base::Deadline deadline) {
  auth::ReportInvalidTokenRequest request;
  request.set_device_id(report.device.to_string());
  request.set_token(std::string(report.token.reveal()));
  request.set_reason(report.reason);
  net::set(request.mutable_invalid_since(), report.invalid_since);
  const auto response = co_await impl_->unary(
      &auth::AuthService::Stub::PrepareAsyncReportInvalidToken, std::move(request), deadline);
  if (!response) co_return fail(response.error());
  co_return Expected<void>();
}

async::Task<Expected<void>> AuthClient::check_health(base::Deadline deadline) {
  const auto response = co_await impl_->unary(&auth::AuthService::Stub::PrepareAsyncHealthCheck,
                                              auth::HealthCheckRequest(), deadline);
  if (!response) co_return fail(response.error());
  if (!response->healthy()) {
    co_return fail(Errc::unavailable, "auth-service calls itself unhealthy");
  }
  co_return Expected<void>();
}

}  // namespace notify::clients
