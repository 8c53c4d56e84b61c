// What only the queue in Redis can show: its keys, its scripts, and members it cannot read.

#include "contract/stores/real_worlds.hpp"

namespace notify::contract {
namespace {

struct RedisQueueTest : testing::Test {
  RealQueueWorld world;
  base::WallTime started = world.now();

  rules::Notification sample(std::uint8_t n = 1) { return fakes::sample_notification(started, n); }
  void enqueue(const rules::Notification& n) {
    ASSERT_TRUE(world.run(fakes::enqueue_one(world.first().queue, {n, started})));
  }
  std::vector<stores::Lease> lease() {
    auto leased = world.run(world.first().queue.lease(64, world.soon()));
    EXPECT_TRUE(leased) << (leased ? "" : leased.error().detail);
    return leased ? *leased : std::vector<stores::Lease>();
  }
};

const std::string kQueue = "notification:queue:medium";

TEST_F(RedisQueueTest, AMemberThatCannotBeReadIsDroppedAndReported) {
  const std::string id = sample(9).id.to_string();
  redis_server().cli({"ZADD", kQueue, "1", R"({"v":1,"id":")" + id + R"(","nonsense)"});
  redis_server().cli({"ZADD", kQueue, "2", "not even JSON"});
  enqueue(sample());
  const auto leased = lease();
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].notification.id, sample().id);
  EXPECT_EQ(world.corrupt.size(), 2u);
  EXPECT_TRUE(lease().empty());
  EXPECT_EQ(redis_server().cli({"ZCARD", kQueue}), "0");
}

TEST_F(RedisQueueTest, ADroppedMemberLeavesNoLeaseBehind) {
  const std::string id = sample(9).id.to_string();
  redis_server().cli({"ZADD", kQueue, "1", R"({"v":1,"id":")" + id + R"(","nonsense)"});
  redis_server().cli({"ZADD", kQueue, "2", "not even JSON"});
  EXPECT_TRUE(lease().empty());
  world.pass(100ms);
  EXPECT_EQ(redis_server().cli({"HLEN", "{" + kQueue + "}:inflight:first"}), "0");
}

/// A batch that was on its way for too long, as over a connection that stood still.
TEST_F(RedisQueueTest, TheServerRefusesWhatReachesItTooLate) {
  const auto almost = fakes::sample_notification(started - stores::kEnqueueWithin + 300ms, 1);
  redis_server().freeze();
  std::optional<std::vector<base::Expected<async::Unit>>> done;
  async::TaskGroup group(world.timers().executor(), [](std::string_view) { FAIL(); });
  group.spawn(async::store_result(world.first().queue.enqueue({{almost, started}}), done));
  world.pass(500ms);
  redis_server().thaw();
  world.drive([&done] { return done.has_value(); });
  EXPECT_FALSE(done->front());
  EXPECT_TRUE(lease().empty());
}

TEST_F(RedisQueueTest, TheScriptsSurviveAFlushOfTheScriptCache) {
  enqueue(sample(1));
  ASSERT_EQ(lease().size(), 1u);
  redis_server().cli({"SCRIPT", "FLUSH"});
  enqueue(sample(2));
  EXPECT_EQ(lease().size(), 1u);
  redis_server().cli({"SCRIPT", "FLUSH"});
  ASSERT_TRUE(
      world.run(world.first().queue.postpone({rules::Priority::medium, sample(1).id}, started)));
  const auto again = lease();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].suspect);
}

TEST_F(RedisQueueTest, AQueueLivesForADayAfterItsLastItem) {
  enqueue(sample());
  const int ttl = std::stoi(redis_server().cli({"TTL", kQueue}));
  EXPECT_GT(ttl, 24 * 3600 - 60);
  EXPECT_LE(ttl, 24 * 3600);
  redis_server().cli({"EXPIRE", kQueue, "100"});
  enqueue(sample(2));
  EXPECT_GT(std::stoi(redis_server().cli({"TTL", kQueue})), 24 * 3600 - 60);
}

TEST_F(RedisQueueTest, AScoreOrdersByTimeAndThenByPriority) {
  const auto high = stores::queue_score(started, rules::Priority::high);
  const auto low = stores::queue_score(started, rules::Priority::low);
  EXPECT_LT(high, low);
  EXPECT_LT(low, stores::queue_score(started + 1ms, rules::Priority::high));
  enqueue(sample());
  // Due at once is due when it arrived, by the server's clock.
  const auto item = redis_server().cli({"ZRANGE", kQueue, "0", "-1", "WITHSCORES"});
  const std::int64_t score = std::stoll(item.substr(item.find('\n') + 1));
  EXPECT_GE(score, stores::queue_score(started, rules::Priority::medium));
  EXPECT_LE(score, stores::queue_score(world.now(), rules::Priority::medium));
}

/// A connection that was made since the last heartbeat may lead to another server.
TEST_F(RedisQueueTest, NothingIsTakenOverOverAConnectionThatNoHeartbeatHasSeen) {
  ASSERT_TRUE(world.run(world.first().leases.heartbeat(20ms, world.soon())));
  ASSERT_TRUE(world.run(world.second().leases.heartbeat(1h, world.soon())));
  world.pass(60ms);
  redis_server().cli({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  const auto taken = world.run(world.second().repairs.take_over_dead(world.soon()));
  EXPECT_FALSE(taken && *taken > 0);
  ASSERT_TRUE(world.run(world.second().leases.heartbeat(1h, world.soon())));
  EXPECT_TRUE(world.run(world.second().repairs.take_over_dead(world.soon())));
}

TEST_F(RedisQueueTest, AHeartbeatIsAKeyThatDies) {
  ASSERT_TRUE(world.run(world.first().leases.heartbeat(5s, world.soon())));
  const int left = std::stoi(redis_server().cli({"PTTL", "notification:node:first"}));
  EXPECT_GT(left, 3000);
  EXPECT_LE(left, 5000);
}

}  // namespace
}  // namespace notify::contract
