#include "clients/auth_devices.hpp"

#include <gtest/gtest.h>

#include "auth/auth.pb.h"

namespace notify::clients {
namespace {

constexpr const char* kId = "d0000000-0000-4000-8000-00000000000";

auth::Device* add(auth::GetUserDevicesResponse& response) {
  auth::Device* device = response.add_devices();
  device->set_id(kId + std::to_string(response.devices_size()));
  device->set_platform(auth::PLATFORM_IOS);
  device->set_token("00ff");
  device->set_is_active(true);
  return device;
}

TEST(AuthDevices, OneThatIsNotUnderstoodSpoilsNoOther) {
  auth::GetUserDevicesResponse response;
  add(response)->set_id("");
  add(response)->set_platform(auth::PLATFORM_UNSPECIFIED);
  add(response)->set_platform(static_cast<auth::Platform>(77));
  add(response)->set_environment(static_cast<auth::Environment>(77));
  const auto devices = to_devices(response);
  ASSERT_EQ(devices.size(), 4u);
  EXPECT_EQ(devices[0].id, base::DeviceId());
  EXPECT_EQ(devices[1].platform, rules::Platform::unknown);
  EXPECT_EQ(devices[2].platform, rules::Platform::unknown);
  EXPECT_EQ(devices[3].platform, rules::Platform::ios);
  EXPECT_EQ(devices[3].environment, rules::Environment::unknown);
}

TEST(AuthDevices, SayOfWhichEnvironmentTheyAre) {
  auth::GetUserDevicesResponse response;
  add(response)->set_environment(auth::ENVIRONMENT_PRODUCTION);
  add(response)->set_environment(auth::ENVIRONMENT_SANDBOX);
  add(response);
  const auto devices = to_devices(response);
  EXPECT_EQ(devices[0].environment, rules::Environment::production);
  EXPECT_EQ(devices[1].environment, rules::Environment::sandbox);
  EXPECT_EQ(devices[2].environment, rules::Environment::unknown);
}

TEST(AuthDevices, InactiveOnesAreNotAmongThem) {
  auth::GetUserDevicesResponse response;
  add(response)->set_is_active(false);
  add(response);
  EXPECT_EQ(to_devices(response).size(), 1u);
}

TEST(AuthDevices, OfTooManyTheNewestAreServed) {
  auth::GetUserDevicesResponse response;
  for (int i = 0; i < 250; ++i) add(response)->mutable_registered_at()->set_seconds(1'000 + i);
  const auto devices = to_devices(response);
  ASSERT_EQ(devices.size(), 100u);
  EXPECT_EQ(devices.front().registered_at, base::WallTime(std::chrono::seconds(1'249)));
  EXPECT_EQ(devices.back().registered_at, base::WallTime(std::chrono::seconds(1'150)));
}

}  // namespace
}  // namespace notify::clients
