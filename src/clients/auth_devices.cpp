#include "clients/auth_devices.hpp"

#include <algorithm>

#include "auth/auth.pb.h"
#include "net/grpc/timestamp.hpp"

namespace notify::clients {
namespace {

constexpr std::size_t kDevicesMax = 100;  // auth.proto promises no more

rules::Platform to_platform(auth::Platform platform) {
  switch (platform) {
    case auth::PLATFORM_IOS: return rules::Platform::ios;
    case auth::PLATFORM_ANDROID: return rules::Platform::android;
    case auth::PLATFORM_WEB: return rules::Platform::web;
    default: return rules::Platform::unknown;
  }
}

rules::Environment to_environment(auth::Environment environment) {
  switch (environment) {
    case auth::ENVIRONMENT_PRODUCTION: return rules::Environment::production;
    case auth::ENVIRONMENT_SANDBOX: return rules::Environment::sandbox;
    default: return rules::Environment::unknown;
  }
}

}  // namespace

std::vector<rules::Device> to_devices(const auth::GetUserDevicesResponse& response) {
  std::vector<rules::Device> devices;
  for (const auth::Device& from : response.devices()) {
    if (!from.is_active()) continue;
    devices.push_back({.id = base::DeviceId::parse(from.id()).value_or(base::DeviceId()),
                       .platform = to_platform(from.platform()),
                       .token = base::Secret(from.token()),
                       .app_id = from.app_id(),
                       .registered_at = net::to_wall_time(from.registered_at()),
                       .environment = to_environment(from.environment())});
  }
  if (devices.size() > kDevicesMax) {
    std::stable_sort(devices.begin(), devices.end(), [](const auto& a, const auto& b) {
      return a.registered_at > b.registered_at;
    });
    devices.resize(kDevicesMax);
  }
  return devices;
}

}  // namespace notify::clients
