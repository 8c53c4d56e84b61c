// What only the counters in Redis can show: their keys, their lifetimes, and Redis away.

#include "contract/stores/real_worlds.hpp"

namespace notify::contract {
namespace {

using stores::LimitClaim;

struct RedisLimiterTest : testing::Test {
  RealLimiterWorld world;

  base::Expected<stores::LimitTaken> take(const LimitClaim& claim) {
    return world.run(world.first().take({claim})).front();
  }
  static std::int64_t ttl(const std::string& key) {
    return std::stoll(redis_server().cli({"PTTL", key}));
  }
};

TEST_F(RedisLimiterTest, ACounterIsAStringThatLivesAsLongAsItsWindow) {
  const LimitClaim claim{{"user.1m:a", 60, 1min, 0}, {"conversation.1h:c", 100, 1h, 0}};
  ASSERT_TRUE(take(claim));
  world.pass(30ms);
  ASSERT_TRUE(take(claim));
  EXPECT_EQ(redis_server().cli({"GET", "ratelimit:user.1m:a"}), "2");
  EXPECT_EQ(redis_server().cli({"GET", "ratelimit:conversation.1h:c"}), "2");
  EXPECT_LE(ttl("ratelimit:user.1m:a"), 60'000 - 30);
  EXPECT_GT(ttl("ratelimit:user.1m:a"), 50'000);
  EXPECT_GT(ttl("ratelimit:conversation.1h:c"), 3'590'000);
  EXPECT_EQ(redis_server().cli({"DBSIZE"}), "2");
}

TEST_F(RedisLimiterTest, ACounterThatWouldNeverEndIsGivenAnEnd) {
  redis_server().cli({"SET", "ratelimit:user.1m:a", "60"});
  const auto over = take({{"user.1m:a", 60, 1min, 0}});
  ASSERT_TRUE(over);
  EXPECT_TRUE(over->reached);
  EXPECT_EQ(over->resets_in, 1min);
  EXPECT_GT(ttl("ratelimit:user.1m:a"), 0);
}

TEST_F(RedisLimiterTest, WhatIsNotANumberIsReplaced) {
  redis_server().cli({"LPUSH", "ratelimit:user.1m:a", "x"});
  redis_server().cli({"SET", "ratelimit:user.1h:a", "x"});
  const LimitClaim claim{{"user.1m:a", 60, 1min, 0}, {"user.1h:a", 60, 1h, 0}};
  const auto taken = take(claim);
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(redis_server().cli({"GET", "ratelimit:user.1m:a"}), "1");
  EXPECT_EQ(redis_server().cli({"GET", "ratelimit:user.1h:a"}), "1");
}

TEST_F(RedisLimiterTest, WithoutAConnectionNobodyWaits) {
  redis_server().stop();
  world.drive([this] { return !world.is_connected(); });
  const base::SteadyTime before = world.timers().clock().steady_now();
  const auto taken = take({{"user.1m:a", 60, 1min, 0}});
  const auto returned = world.run(world.first().give_back({{{{"user.1m:a", 60, 1min, 0}}, 1ms}}));
  EXPECT_LT(world.timers().clock().steady_now() - before, 100ms);
  redis_server().start();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, base::Errc::unavailable);
  EXPECT_FALSE(returned);
}

TEST_F(RedisLimiterTest, AHungServerIsNotWaitedForLong) {
  redis_server().freeze();
  const auto taken = take({{"user.1m:a", 60, 1min, 0}});
  redis_server().thaw();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, base::Errc::timed_out);
}

}  // namespace
}  // namespace notify::contract
