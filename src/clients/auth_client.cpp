#include "clients/auth_client.hpp"

#include <utility>

#include "auth/auth.grpc.pb.h"
#include "clients/auth_devices.hpp"
#include "clients/unary_call.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::clients {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using Stub = auth::AuthService::Stub;

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
