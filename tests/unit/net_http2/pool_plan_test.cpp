#include "net/http2/pool_plan.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.hpp"

namespace notify::http2 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct PoolPlanTest : testing::Test {
  base::SeededRng rng{1};
  PoolPlan plan{{.connections_max = 2}, rng};
  base::SteadyTime now{seconds(1000)};

  ConnectionId open(std::size_t streams_max) {
    const ConnectionId id = plan.connecting();
    plan.connected(id, streams_max);
    return id;
  }
  ConnectionId open_past_gate(std::size_t streams_max) {
    const ConnectionId id = open(streams_max);
    EXPECT_EQ(plan.take_stream(), id);
    plan.stream_ended(id, true);
    return id;
  }
};

TEST_F(PoolPlanTest, ConnectsForTheFirstRequestAndOnlyOnce) {
  EXPECT_EQ(plan.take_stream(), std::nullopt);
  EXPECT_TRUE(plan.should_connect(now));
  (void)plan.connecting();
  EXPECT_FALSE(plan.should_connect(now));
}

TEST_F(PoolPlanTest, ANewConnectionCarriesOneStreamUntilAResponseOpensTheGate) {
  const ConnectionId id = open(100);
  EXPECT_EQ(plan.take_stream(), id);
  EXPECT_EQ(plan.take_stream(), std::nullopt);
  EXPECT_FALSE(plan.should_connect(now)) << "not past its gate, so not known to be full";
  plan.stream_ended(id, false);
  EXPECT_EQ(plan.take_stream(), id);
  EXPECT_EQ(plan.take_stream(), std::nullopt) << "a response that does not open the gate";
  plan.stream_ended(id, true);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(plan.take_stream(), id);
  EXPECT_EQ(plan.take_stream(), std::nullopt);
}

TEST_F(PoolPlanTest, GrowsOnlyWhenEveryConnectionIsFullAndOnlyToItsMaximum) {
  const ConnectionId first = open_past_gate(2);
  EXPECT_FALSE(plan.should_connect(now));
  EXPECT_EQ(plan.take_stream(), first);
  EXPECT_EQ(plan.take_stream(), first);
  EXPECT_TRUE(plan.should_connect(now));
  open_past_gate(1);
  EXPECT_TRUE(plan.take_stream().has_value());
  EXPECT_EQ(plan.take_stream(), std::nullopt);
  EXPECT_FALSE(plan.should_connect(now));
}

TEST_F(PoolPlanTest, TheNextRequestGoesToTheConnectionWithTheFewestStreams) {
  const ConnectionId first = open_past_gate(2);
  EXPECT_EQ(plan.take_stream(), first);
  EXPECT_EQ(plan.take_stream(), first);
  const ConnectionId second = open(10);
  EXPECT_EQ(plan.take_stream(), second);
  plan.stream_ended(second, true);
  EXPECT_EQ(plan.take_stream(), second);
  plan.stream_ended(first, true);
  plan.stream_ended(first, true);
  EXPECT_EQ(plan.take_stream(), first);
}

TEST_F(PoolPlanTest, AvoidsTheConnectionThatJustRefusedUnlessThereIsNoOther) {
  const ConnectionId first = open_past_gate(2);
  EXPECT_EQ(plan.take_stream(first), first);
  EXPECT_EQ(plan.take_stream(), first);
  const ConnectionId second = open(10);
  EXPECT_EQ(plan.take_stream(), second);
  plan.stream_ended(second, true);
  plan.stream_ended(first, true);
  plan.stream_ended(first, true);
  EXPECT_EQ(plan.take_stream(first), second);
}

TEST_F(PoolPlanTest, FollowsThePeersLimitUpAndDown) {
  const ConnectionId id = open_past_gate(1);
  EXPECT_EQ(plan.take_stream(), id);
  EXPECT_EQ(plan.take_stream(), std::nullopt);
  plan.limit_changed(id, 2);
  EXPECT_EQ(plan.take_stream(), id);
  plan.limit_changed(id, 1);
  plan.stream_ended(id, true);
  EXPECT_EQ(plan.take_stream(), std::nullopt) << "one is still open";
  plan.stream_ended(id, true);
  EXPECT_EQ(plan.take_stream(), id);
}

TEST_F(PoolPlanTest, ADrainingConnectionIsReplacedAtOnce) {
  const ConnectionId id = open_past_gate(10);
  plan.draining(id, now);
  EXPECT_EQ(plan.take_stream(), std::nullopt);
  EXPECT_TRUE(plan.should_connect(now));
}

TEST_F(PoolPlanTest, DrainingConnectionsAreBoundedToo) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(plan.should_connect(now));
    plan.draining(open_past_gate(10), now);
  }
  EXPECT_FALSE(plan.should_connect(now));
}

TEST_F(PoolPlanTest, BacksOffLongerAfterEachFailureWithinItsBounds) {
  std::vector<milliseconds> waits;
  for (int i = 0; i < 12; ++i) {
    plan.connect_failed(plan.connecting(), now);
    EXPECT_FALSE(plan.should_connect(now));
    waits.push_back(std::chrono::duration_cast<milliseconds>(plan.retry_at() - now));
    now = plan.retry_at();
    EXPECT_TRUE(plan.should_connect(now));
  }
  EXPECT_GE(waits[0], milliseconds(50));
  EXPECT_LE(waits[0], milliseconds(100));
  EXPECT_GE(waits[4], milliseconds(800));
  EXPECT_LE(waits[4], milliseconds(1600));
  EXPECT_GE(waits[11], seconds(15));
  EXPECT_LE(waits[11], seconds(30));
}

TEST_F(PoolPlanTest, AConnectionThatEndsBeforeItsGateOpensCountsAsAFailedAttempt) {
  plan.closed(open(10), now);
  EXPECT_FALSE(plan.should_connect(now));
  EXPECT_GT(plan.retry_at(), now);
}

TEST_F(PoolPlanTest, AConnectionThatServedIsReplacedWithoutBackoff) {
  plan.closed(open_past_gate(10), now);
  EXPECT_TRUE(plan.should_connect(now));
}

TEST_F(PoolPlanTest, IsHopelessAfterRepeatedFailuresUntilTheNextAttemptIsDue) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(plan.is_hopeless(now));
    plan.connect_failed(plan.connecting(), now);
    if (i < 2) now = plan.retry_at();
  }
  EXPECT_TRUE(plan.is_hopeless(now));
  now = plan.retry_at();
  EXPECT_FALSE(plan.is_hopeless(now)) << "the next attempt may be the one";
  open_past_gate(10);
  EXPECT_FALSE(plan.is_hopeless(now));
  EXPECT_TRUE(plan.take_stream().has_value());
}

}  // namespace
}  // namespace notify::http2
