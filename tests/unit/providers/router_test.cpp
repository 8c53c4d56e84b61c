#include "providers/router.hpp"

#include <gtest/gtest.h>

#include "fakes/fake_provider.hpp"
#include "fakes/fake_time.hpp"
#include "fakes/samples.hpp"
#include "rules/push_service.hpp"

namespace notify::providers {
namespace {

using fakes::sample_device;
using rules::LeftOut;

struct RouterTest : ::testing::Test {
  fakes::ManualClock clock;
  fakes::FakeLoop loop{clock};
  fakes::FakeLink link{loop.timers};
  fakes::FakePushService service;
  fakes::FakeProvider apns{service, link};
  Router router;
};

TEST_F(RouterTest, ADeviceIsGivenToTheProviderOfItsPushService) {
  EXPECT_EQ(router.of(sample_device()), nullptr);
  router.add(apns);
  EXPECT_EQ(router.of(sample_device()), &apns);
  EXPECT_FALSE(router.flaw_of(sample_device()));
}

TEST_F(RouterTest, ADeviceThatNoProviderIsForIsToldWhy) {
  const auto why = router.flaw_of(sample_device());
  ASSERT_TRUE(why);
  EXPECT_EQ(why->why, LeftOut::no_provider);
  EXPECT_EQ(why->message, "apns is not configured in this service");
}

TEST_F(RouterTest, ItsOwnFlawGoesBeforeThatOfAProvider) {
  router.add(apns);
  rules::Device device = sample_device();
  device.environment = rules::Environment::sandbox;
  EXPECT_EQ(router.flaw_of(device)->why, LeftOut::other_environment);
  device.token = base::Secret("");
  EXPECT_EQ(router.flaw_of(device)->why, LeftOut::no_token);
  device.platform = rules::Platform::unknown;
  EXPECT_EQ(router.flaw_of(device)->why, LeftOut::not_understood);
}

}  // namespace
}  // namespace notify::providers
