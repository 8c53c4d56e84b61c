#include "clients/auth_client.hpp"

#include <utility>

#include "auth/auth.grpc.pb.h"
#include "clients/unary_call.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::clients {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using Stub = auth::AuthService::Stub;

constexpr int kDevicesMax = 100;  // what auth.proto promises

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
  Caller caller;
  std::unique_ptr<Stub> stub;

  template <class Request, class Response>
  async::Task<Expected<Response>> unary(Prepare<Stub, Request, Response> prepare, Request request,
                                        base::Deadline deadline) {
    return call_unary(caller, *stub, prepare, std::move(request), deadline);
  }
};

AuthClient::AuthClient(const std::string& address, async::Executor executor,
                       grpc::CompletionQueue* queue, const base::Clock& clock)
    : impl_(std::make_unique<Impl>(Impl{{"auth-service", std::move(executor), queue, clock},
                                        auth::AuthService::NewStub(own_channel(address))})) {}

AuthClient::~AuthClient() = default;

async::Task<Expected<std::vector<rules::Device>>> AuthClient::user_devices(
    base::UserId user, base::Deadline deadline) {
  auth::GetUserDevicesRequest request;
  request.set_user_id(user.to_string());
  auto response =
      co_await impl_->unary(&Stub::PrepareAsyncGetUserDevices, std::move(request), deadline);
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
  const auto response =
      co_await impl_->unary(&Stub::PrepareAsyncReportInvalidToken, std::move(request), deadline);
  if (!response) co_return fail(response.error());
  co_return Expected<void>();
}

async::Task<Expected<void>> AuthClient::check_health(base::Deadline deadline) {
  const auto response =
      co_await impl_->unary(&Stub::PrepareAsyncHealthCheck, auth::HealthCheckRequest(), deadline);
  if (!response) co_return fail(response.error());
  if (!response->healthy()) {
    co_return fail(Errc::unavailable, "auth-service calls itself unhealthy");
  }
  co_return Expected<void>();
}

}  // namespace notify::clients
