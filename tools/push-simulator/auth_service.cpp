#include "push-simulator/auth_service.hpp"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace notify::simulator {
namespace {

using base::DeviceId;
using base::Errc;
using base::Expected;
using base::UserId;
using base::WallTime;
using grpc::Status;
using grpc::StatusCode;

void set_time(google::protobuf::Timestamp& out, WallTime time) {
  const auto ms = time.time_since_epoch().count();
  out.set_seconds(ms / 1000);
  out.set_nanos(static_cast<std::int32_t>(ms % 1000) * 1'000'000);
}

WallTime from_proto(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) +
                  std::chrono::milliseconds(time.nanos() / 1'000'000));
}

auth::Platform to_proto(Platform platform) {
  switch (platform) {
    case Platform::ios: return auth::PLATFORM_IOS;
    case Platform::android: return auth::PLATFORM_ANDROID;
    case Platform::web: return auth::PLATFORM_WEB;
  }
  return auth::PLATFORM_UNSPECIFIED;
}

auth::Environment to_proto(PushEnvironment environment) {
  switch (environment) {
    case PushEnvironment::production: return auth::ENVIRONMENT_PRODUCTION;
    case PushEnvironment::sandbox: return auth::ENVIRONMENT_SANDBOX;
    case PushEnvironment::any: break;
  }
  return auth::ENVIRONMENT_UNSPECIFIED;
}

void write_device(const Device& device, auth::Device& out) {
  out.set_id(device.id.to_string());
  out.set_user_id(device.user_id.to_string());
  out.set_platform(to_proto(device.platform));
  out.set_vendor_device_id(device.vendor_device_id);
  out.set_token(device.token);
  out.set_app_id(device.app_id);
  out.set_environment(to_proto(device.environment));
  set_time(*out.mutable_registered_at(), device.registered_at);
  set_time(*out.mutable_last_seen(), device.last_seen);
  out.set_is_active(device.is_active);
  out.set_version(device.version);
}

Status no_uuid(const char* field) {
  return {StatusCode::INVALID_ARGUMENT, std::string(field) + " is no UUID"};
}

}  // namespace

void AuthStats::count_report(bool deactivated) {
  const std::lock_guard lock(mutex_);
  ++reports_;
  if (deactivated) ++deactivated_;
}

void AuthStats::clear() {
  calls.clear();
  const std::lock_guard lock(mutex_);
  reports_ = 0;
  deactivated_ = 0;
}

nlohmann::json AuthStats::stats() const {
  const std::lock_guard lock(mutex_);
  return {{"calls", calls.stats()},
          {"invalid_token_reports", reports_},
          {"devices_deactivated", deactivated_}};
}

Expected<std::uint16_t> AuthService::start(const std::string& listen) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // two simulators must not share a port
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  if (parts_.beside != nullptr) builder.RegisterService(parts_.beside);
  server_ = builder.BuildAndStart();
  if (!server_ || port == 0) return base::fail(Errc::unavailable, "cannot listen on " + listen);
  return static_cast<std::uint16_t>(port);
}

void AuthService::stop() {
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  server_->Wait();
  server_.reset();
}

template <class Work>
grpc::ServerUnaryReactor* AuthService::run(grpc::CallbackServerContext* context, const Call& call,
                                           const Work& work) {
  return answer(context, parts_.faults, parts_.stats.calls,
                {FaultTarget::auth, call.method, call.token}, work);
}

grpc::ServerUnaryReactor* AuthService::GetUserDevices(grpc::CallbackServerContext* context,
                                                      const auth::GetUserDevicesRequest* request,
                                                      auth::GetUserDevicesResponse* response) {
  return run(context, {"GetUserDevices", {}}, [&] { return user_devices(*request, *response); });
}

grpc::ServerUnaryReactor* AuthService::GetDeviceInfo(grpc::CallbackServerContext* context,
                                                     const auth::GetDeviceInfoRequest* request,
                                                     auth::GetDeviceInfoResponse* response) {
  return run(context, {"GetDeviceInfo", {}}, [&] { return device_info(*request, *response); });
}

grpc::ServerUnaryReactor* AuthService::ReportInvalidToken(
    grpc::CallbackServerContext* context, const auth::ReportInvalidTokenRequest* request,
    auth::ReportInvalidTokenResponse*) {
  return run(context, {"ReportInvalidToken", request->token()},
             [&] { return invalid_token(*request); });
}

grpc::ServerUnaryReactor* AuthService::HealthCheck(grpc::CallbackServerContext* context,
                                                   const auth::HealthCheckRequest*,
                                                   auth::HealthCheckResponse* response) {
  return run(context, {"HealthCheck", {}}, [&] {
    response->set_healthy(true);
    return Status::OK;
  });
}

Status AuthService::user_devices(const auth::GetUserDevicesRequest& request,
                                 auth::GetUserDevicesResponse& response) const {
  const auto user = UserId::parse(request.user_id());
  if (!user) return no_uuid("user_id");
  const DeviceSet set = parts_.registry.devices_of(*user);
  for (const Device& device : set.devices) write_device(device, *response.add_devices());
  response.set_version(set.version);
  return Status::OK;
}

Status AuthService::device_info(const auth::GetDeviceInfoRequest& request,
                                auth::GetDeviceInfoResponse& response) const {
  const auto id = DeviceId::parse(request.device_id());
  if (!id) return no_uuid("device_id");
  const auto device = parts_.registry.find(*id);
  if (!device) return {StatusCode::NOT_FOUND, "there is no such device"};
  write_device(*device, *response.mutable_device());
  return Status::OK;
}

Status AuthService::invalid_token(const auth::ReportInvalidTokenRequest& request) {
  const auto id = DeviceId::parse(request.device_id());
  if (!id) return no_uuid("device_id");
  if (request.token().empty()) return {StatusCode::INVALID_ARGUMENT, "token is empty"};
  const WallTime since =
      request.has_invalid_since() ? from_proto(request.invalid_since()) : parts_.clock.now();
  parts_.stats.count_report(parts_.registry.report_invalid(*id, request.token(), since));
  return Status::OK;
}

}  // namespace notify::simulator
