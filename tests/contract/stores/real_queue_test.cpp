// What only the queue in Redis can show: its keys, its scripts, and members it cannot read.

#include "contract/stores/real_worlds.hpp"
#include "rules/codec.hpp"
#include "stores/redis_lease_scripts.hpp"

namespace notify::contract {
namespace {

struct RedisQueueTest : testing::Test {
  RealQueueWorld world;
  bool lives = false;
  base::WallTime started = world.now();

  rules::Notification sample(std::uint8_t n = 1) { return fakes::sample_notification(started, n); }
  void enqueue(const rules::Notification& n) {
    if (!lives) beat();
    ASSERT_TRUE(world.run(fakes::enqueue_one(world.first().queue, {n, started})));
  }
  void beat() {
    lives = true;
    ASSERT_TRUE(world.run(world.first().leases.heartbeat({1h}, world.soon())));
  }
  /// A heartbeat of a node that reads this version of items.
  void beat_of_version(const std::string& version) {
    const stores::QueueBooks books("newer", 1);
    const stores::QueueBook& book = books.at(rules::Priority::medium, 0);
    redis_server().cli({"EVAL", stores::scripts::kBeat.source(), "9", book.epoch, book.queue,
                        book.old, book.nodes, book.ids, book.suspect, book.users, book.aside,
                        book.unreadable, "an epoch", "86400", "newer", "3600000", version, "1"});
  }
  std::vector<stores::Lease> lease() {
    if (!lives) beat();
    auto leased = world.run(world.first().queue.lease(64, world.soon()));
    EXPECT_TRUE(leased) << (leased ? "" : leased.error().detail);
    return leased ? *leased : std::vector<stores::Lease>();
  }
};

const std::string kQueue = "notification:queue:medium";

const std::string kTag = "{" + kQueue + "}";

TEST_F(RedisQueueTest, AMemberThatCannotBeReadIsPutAsideAndReported) {
  beat();
  const std::string id = sample(9).id.to_string();
  redis_server().cli({"ZADD", kQueue, "1", R"({"v":1,"id":")" + id + R"(","nonsense)"});
  redis_server().cli({"ZADD", kQueue, "2", "not even JSON"});
  enqueue(sample());
  const auto leased = lease();
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].notification.id, sample().id);
  EXPECT_EQ(world.unreadable.size(), 2u);
  EXPECT_TRUE(lease().empty());
  EXPECT_EQ(redis_server().cli({"ZCARD", kQueue}), "0");
  world.pass(100ms);
  EXPECT_EQ(redis_server().cli({"ZCARD", kTag + ":unreadable"}), "2") << "nothing is destroyed";
  EXPECT_EQ(redis_server().cli({"HLEN", kTag + ":inflight:first"}), "1");
  const auto depths = world.run(world.first_queue().depths(world.soon()));
  EXPECT_EQ(depths.value().unreadable, 2u);
  // The row in PostgreSQL brings a good one.
  const auto in = world.run(world.first().repairs.readmit({{sample(9), started}}, world.soon()));
  EXPECT_EQ(in.value(), 1u);
}

std::string of_version_2(const rules::Notification& n) {
  std::string item = rules::encode_queue_item(n);
  item[rules::kQueueItemVersionOffset] = '2';
  return item;
}

/// The backlog of a newer version, while nodes of this one still run.
TEST_F(RedisQueueTest, AnItemOfANewerVersionIsLeftToANodeThatCanReadIt) {
  beat();
  const std::string item = of_version_2(sample());
  redis_server().cli({"ZADD", kQueue, "1", item});
  redis_server().cli({"SADD", kTag + ":ids", sample().id.to_string()});
  EXPECT_TRUE(lease().empty());
  EXPECT_TRUE(world.unreadable.empty()) << "it is not broken";
  EXPECT_EQ(redis_server().cli({"ZRANGE", kTag + ":unreadable", "0", "-1"}), item);
  const auto in = world.run(world.first().repairs.readmit({{sample(), started}}, world.soon()));
  EXPECT_EQ(in.value(), 0u) << "this version would get it wrong";
  beat_of_version("2");
  EXPECT_EQ(redis_server().cli({"ZRANGE", kQueue, "0", "-1"}), item);
  EXPECT_EQ(redis_server().cli({"SISMEMBER", kTag + ":suspect", sample().id.to_string()}), "1");
}

/// More than a lease looks at.
TEST_F(RedisQueueTest, AFloodOfOneUserDoesNotStopTheOthers) {
  beat();
  std::vector<stores::QueueItem> flood;
  for (int i = 0; i < 1200; ++i) {
    rules::Notification n = fakes::sample_notification(started - std::chrono::milliseconds(i % 6),
                                                       static_cast<std::uint8_t>(i / 6));
    flood.push_back({n, started - 1h});
  }
  for (const auto& done : world.run(world.first().queue.enqueue(flood))) ASSERT_TRUE(done);
  rules::Notification other = sample(250);
  other.user = fakes::sample_user(2);
  enqueue(other);
  beat();
  bool came = false;
  for (int i = 0; i < 40 && !came; ++i) {
    for (const auto& one : lease()) came = came || one.notification.id == other.id;
  }
  EXPECT_TRUE(came);
}

TEST_F(RedisQueueTest, AnEntryOfANodeThatIsGoneHoldsNobody) {
  beat();
  enqueue(sample());
  redis_server().cli({"HSET", kTag + ":users", sample().user.to_string(), "3:gone"});
  EXPECT_EQ(lease().size(), 1u);
  EXPECT_EQ(redis_server().cli({"HGET", kTag + ":users", sample().user.to_string()}), "1:first");
}

/// Two members of one id, as nodes of two versions could have left them.
TEST_F(RedisQueueTest, TwoMembersOfOneIdDoNotPinTheirUser) {
  beat();
  enqueue(sample());
  rules::Notification twin = sample();
  twin.body = "Another encoding";
  redis_server().cli({"ZADD", kQueue, "1", rules::encode_queue_item(twin)});
  for (int i = 0; i < 3; ++i) (void)lease();
  const stores::LeaseKey key{rules::Priority::medium, sample().id, 0};
  ASSERT_TRUE(world.run(world.first().queue.ack(key)));
  EXPECT_EQ(redis_server().cli({"HLEN", kTag + ":users"}), "0");
}

TEST_F(RedisQueueTest, WhatSomebodyRemovedByHandIsNotThoughtToBeQueued) {
  beat();
  enqueue(sample());
  redis_server().cli({"DEL", kQueue});
  beat();
  const auto in = world.run(world.first().repairs.readmit({{sample(), started}}, world.soon()));
  EXPECT_EQ(in.value(), 1u);
}

/// After a day without service everything is gone, and nothing says that it is there.
TEST_F(RedisQueueTest, NoKeyOfABookIsGoneBeforeItsEpoch) {
  beat();
  enqueue(sample(1));
  enqueue(sample(2));
  ASSERT_EQ(lease().size(), 2u);
  ASSERT_TRUE(
      world.run(world.first().queue.postpone({rules::Priority::medium, sample(1).id}, started)));
  enqueue(sample(3));
  beat();
  const auto ttl = [](const std::string& key) {
    return std::stoi(redis_server().cli({"TTL", key}));
  };
  const int epoch = ttl(kTag + ":epoch");
  EXPECT_GT(epoch, 24 * 3600 - 60);
  EXPECT_LE(epoch, 24 * 3600);
  for (const std::string key : {":ids", ":suspect", ":users", ":nodes"}) {
    EXPECT_GE(ttl(kTag + key), epoch) << key;
  }
  EXPECT_GE(ttl(kQueue), epoch);
}

TEST_F(RedisQueueTest, AFullServerStillDrains) {
  beat();
  enqueue(sample(1));
  enqueue(sample(2));
  redis_server().cli({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_TRUE(world.run(world.first().leases.heartbeat({1h}, world.soon())));
  EXPECT_EQ(lease().size(), 2u);
  const stores::LeaseKey one{rules::Priority::medium, sample(1).id, 0};
  const stores::LeaseKey two{rules::Priority::medium, sample(2).id, 0};
  EXPECT_TRUE(world.run(world.first().queue.ack(one)));
  EXPECT_TRUE(world.run(world.first().queue.postpone(two, started)));
  EXPECT_TRUE(world.run(world.second().leases.heartbeat({1h}, world.soon())));
  EXPECT_TRUE(world.run(world.second().repairs.take_over_dead(world.soon())));
  EXPECT_FALSE(world.run(fakes::enqueue_one(world.first().queue, {sample(3), started})));
  redis_server().cli({"CONFIG", "SET", "maxmemory", "0"});
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
  ASSERT_TRUE(world.run(world.first().leases.heartbeat({20ms}, world.soon())));
  ASSERT_TRUE(world.run(world.second().leases.heartbeat({1h}, world.soon())));
  world.pass(60ms);
  redis_server().cli({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  const auto taken = world.run(world.second().repairs.take_over_dead(world.soon()));
  EXPECT_FALSE(taken && *taken > 0);
  ASSERT_TRUE(world.run(world.second().leases.heartbeat({1h}, world.soon())));
  EXPECT_TRUE(world.run(world.second().repairs.take_over_dead(world.soon())));
}

}  // namespace
}  // namespace notify::contract
