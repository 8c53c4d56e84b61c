#include "push-simulator/registry.hpp"

#include <gtest/gtest.h>

namespace notify::simulator {
namespace {

using base::DeviceId;
using base::UserId;
using base::WallTime;

const UserId kAnna = *UserId::parse("00000000-0000-4000-8000-00000000000a");
const UserId kBob = *UserId::parse("00000000-0000-4000-8000-00000000000b");

WallTime at(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

Device device(const char* id, std::string token, WallTime registered) {
  Device made;
  made.id = *DeviceId::parse(id);
  made.token = std::move(token);
  made.app_id = "com.example.app";
  made.registered_at = registered;
  return made;
}

constexpr const char* kPhone = "00000000-0000-4000-8000-0000000000d1";
constexpr const char* kTablet = "00000000-0000-4000-8000-0000000000d2";

TEST(Registry, ReplacesTheWholeSetAndRaisesItsVersion) {
  Registry registry;
  registry.replace_user(kAnna, {device(kPhone, "aa", at(1)), device(kTablet, "bb", at(1))});
  const DeviceSet before = registry.devices_of(kAnna);
  EXPECT_EQ(before.devices.size(), 2u);
  registry.replace_user(kAnna, {device(kTablet, "cc", at(2))});
  const DeviceSet after = registry.devices_of(kAnna);
  EXPECT_EQ(after.devices.size(), 1u);
  EXPECT_GT(after.version, before.version);
  EXPECT_FALSE(registry.find_target("aa"));
  EXPECT_TRUE(registry.find_target("cc"));
}

TEST(Registry, KnowsNothingOfAStranger) {
  const Registry registry;
  EXPECT_TRUE(registry.devices_of(kBob).devices.empty());
  EXPECT_EQ(registry.devices_of(kBob).version, 0);
}

TEST(Registry, MovesADeviceToItsNewUser) {
  Registry registry;
  registry.replace_user(kAnna, {device(kPhone, "aa", at(1))});
  registry.replace_user(kBob, {device(kPhone, "aa", at(2))});
  EXPECT_TRUE(registry.devices_of(kAnna).devices.empty());
  EXPECT_EQ(registry.devices_of(kBob).devices.size(), 1u);
}

TEST(Registry, LetsTheNewestRegistrationOfATokenSpeak) {
  Registry registry;
  Device old = device(kPhone, "aa", at(1));
  old.dead_since = at(5);
  registry.replace_user(kAnna, {old});
  registry.replace_user(kBob, {device(kTablet, "aa", at(9))});
  EXPECT_FALSE(registry.find_target("aa")->dead_since);
}

TEST(Registry, DeactivatesOnlyTheReportedTokenAndNotALaterRegistration) {
  Registry registry;
  registry.replace_user(kAnna, {device(kPhone, "aa", at(10))});
  const DeviceId phone = *DeviceId::parse(kPhone);
  EXPECT_FALSE(registry.report_invalid(phone, "bb", at(20)));
  EXPECT_FALSE(registry.report_invalid(phone, "aa", at(9)));
  EXPECT_TRUE(registry.find(phone)->is_active);
  EXPECT_TRUE(registry.report_invalid(phone, "aa", at(10)));
  EXPECT_FALSE(registry.find(phone)->is_active);
  EXPECT_FALSE(registry.report_invalid(phone, "aa", at(10)));
}

TEST(Registry, GeneratesTheDocumentedIds) {
  Registry registry;
  registry.generate({.users = 300, .per_user = 2, .seed = 7, .app_id = "com.example.app"}, at(1));
  EXPECT_EQ(registry.size().devices, 600u);
  const auto user = UserId::parse("00000007-0000-4000-8000-00000000012b");  // the 300th
  const DeviceSet set = registry.devices_of(*user);
  ASSERT_EQ(set.devices.size(), 2u);
  EXPECT_EQ(set.devices[1].id.to_string(), "00000007-0001-4000-8001-00000000012b");
  EXPECT_EQ(set.devices[1].token,
            "0000000700000001000000000000012ba5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
}

TEST(Registry, GeneratesTokensOfFcmForAndroid) {
  Registry registry;
  registry.generate({.users = 300, .seed = 7, .app_id = "", .platform = Platform::android}, at(1));
  const auto user = UserId::parse("00000007-0000-4000-8000-00000000012b");
  const DeviceSet set = registry.devices_of(*user);
  ASSERT_EQ(set.devices.size(), 1u);
  EXPECT_EQ(set.devices[0].platform, Platform::android);
  const std::string token = "c00000007000000000012b:APA91b" + std::string(134, 'a');
  EXPECT_EQ(set.devices[0].token, token);
  EXPECT_EQ(registry.find_fcm_target(token), FcmTarget::registered);
  EXPECT_EQ(registry.find_fcm_target(token + "x"), FcmTarget::unknown);
  EXPECT_FALSE(registry.find_target(token));
}

}  // namespace
}  // namespace notify::simulator
