#include "clients/device_cache.hpp"

#include <gtest/gtest.h>

#include "base/async/task_group.hpp"
#include "fakes/fake_device_directory.hpp"
#include "fakes/fake_time.hpp"
#include "fakes/samples.hpp"

namespace notify::clients {
namespace {

using namespace std::chrono_literals;
using Devices = std::vector<rules::Device>;

struct DeviceCacheTest : testing::Test {
  fakes::ManualClock clock;
  fakes::FakeTime time{clock};
  fakes::FakeLoop loop{clock};
  fakes::FakeLink link{loop.timers};
  fakes::FakeDevices known;
  fakes::FakeDeviceDirectory origin{known, link};
  async::TaskGroup group{loop.timers.executor(), {}};
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  DeviceCache cache{
      origin, loop.timers, {.ttl = 1min, .users_max = 3, .on_question = [this](bool cached) {
                              ++(cached ? hits : misses);
                            }}};

  DeviceCacheTest() {
    time.add(loop);
    for (std::uint8_t n = 1; n <= 9; ++n) known.of_user[user(n)] = {fakes::sample_device(n)};
  }
  ~DeviceCacheTest() override { time.remove(loop); }

  static base::UserId user(std::uint8_t n) {
    return base::UserId(base::uuid_v7_from(base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 0, 3, n}));
  }
  std::optional<base::Expected<Devices>> ask(std::uint8_t n) {
    std::optional<base::Expected<Devices>> answer;
    group.spawn(async::store_result(cache.user_devices(user(n), base::Deadline::never()), answer));
    time.run_until([&] { return answer.has_value(); });
    return answer;
  }
  std::uint64_t asked() const { return misses; }
};

TEST_F(DeviceCacheTest, AsksOnceAndRemembers) {
  EXPECT_EQ(ask(1)->value().at(0).id, fakes::sample_device(1).id);
  known.of_user[user(1)] = {fakes::sample_device(2)};
  EXPECT_EQ(ask(1)->value().at(0).id, fakes::sample_device(1).id);
  EXPECT_EQ(asked(), 1u);
  EXPECT_EQ(hits, 1u);
}

TEST_F(DeviceCacheTest, AfterItsTimeItAsksAgain) {
  ask(1);
  known.of_user[user(1)] = {fakes::sample_device(2)};
  time.run_for(1min);
  EXPECT_EQ(ask(1)->value().at(0).id, fakes::sample_device(2).id);
  EXPECT_EQ(asked(), 2u);
}

TEST_F(DeviceCacheTest, AUserWithoutDevicesIsAskedForEachTime) {
  known.of_user[user(1)].clear();
  EXPECT_TRUE(ask(1)->value().empty());
  known.of_user[user(1)] = {fakes::sample_device(1)};
  EXPECT_EQ(ask(1)->value().size(), 1u);
}

TEST_F(DeviceCacheTest, AFailureIsNotRemembered) {
  origin.faults.user_devices.fail(base::Errc::unavailable, 1);
  EXPECT_EQ(ask(1)->error().code, base::Errc::unavailable);
  EXPECT_TRUE(ask(1)->has_value());
}

TEST_F(DeviceCacheTest, ThoseWhoAskAtOnceShareOneQuestion) {
  std::vector<std::optional<base::Expected<Devices>>> answers(20);
  for (auto& answer : answers) {
    group.spawn(async::store_result(cache.user_devices(user(1), base::Deadline::never()), answer));
  }
  time.run_for(1s);
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->size(), 1u);
  }
  EXPECT_EQ(asked(), 1u);
}

TEST_F(DeviceCacheTest, TheOneAskedForLongestAgoIsForgottenFirst) {
  for (const int n : {1, 2, 3, 1, 4})
    ask(static_cast<std::uint8_t>(n));  // 2 is the oldest when 4 comes
  EXPECT_EQ(cache.size(), 3u);
  const std::uint64_t before = asked();
  for (const int n : {1, 3, 4}) ask(static_cast<std::uint8_t>(n));
  EXPECT_EQ(asked(), before);
  ask(2);
  EXPECT_EQ(asked(), before + 1);
}

TEST_F(DeviceCacheTest, ADeadTokenMakesItForgetItsUser) {
  ask(1);
  std::optional<base::Expected<void>> reported;
  group.spawn(async::store_result(
      cache.report_invalid_token({.user = user(1), .device = fakes::sample_device(1).id},
                                 base::Deadline::never()),
      reported));
  time.run_until([&] { return reported.has_value(); });
  EXPECT_EQ(known.reported.size(), 1u);
  ask(1);
  EXPECT_EQ(asked(), 2u);
}

TEST_F(DeviceCacheTest, WhoWaitsForACancelledQuestionIsToldSo) {
  std::optional<base::Expected<Devices>> waiter;
  async::TaskGroup leaders(loop.timers.executor(), {});
  std::optional<base::Expected<Devices>> leader;
  leaders.spawn(async::store_result(cache.user_devices(user(1), base::Deadline::never()), leader));
  time.run_for(0ms);
  group.spawn(async::store_result(cache.user_devices(user(1), base::Deadline::never()), waiter));
  time.run_for(0ms);
  leaders.cancel();
  time.run_for(1s);
  ASSERT_TRUE(waiter);
  EXPECT_EQ(waiter->error().code, base::Errc::cancelled);
  EXPECT_TRUE(ask(1)->has_value());
}

}  // namespace
}  // namespace notify::clients
