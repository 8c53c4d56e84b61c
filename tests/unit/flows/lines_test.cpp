#include "flows/lines.hpp"

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using rules::Priority;

struct LinesTest : FlowTest {
  fakes::FakeLoop loop{outside.clock};
  Lines lines{loop.timers.executor()};
  async::TaskGroup group{loop.timers.executor(), Node::no_escape()};
  std::vector<int> log;
  base::Uuid alice = fakes::sample_user().uuid();
  base::Uuid bob = fakes::sample_user(2).uuid();

  LinesTest() { outside.time.add(loop); }
  void enter(Lines::Place& turn, int number) {
    group.spawn([](Lines::Place& t, std::vector<int>& l, int i) -> async::Task<void> {
      co_await t.wait();
      l.push_back(t.is_turned_away() ? -i : i);
    }(turn, log, number));
    outside.time.run_for(1ms);
  }
};

TEST_F(LinesTest, TheFirstDoesNotWaitAndTheOthersFollowInTheirOrder) {
  Lines::Place one(lines, alice, Priority::high);
  Lines::Place two(lines, alice, Priority::high);
  Lines::Place three(lines, alice, Priority::high);
  enter(three, 3);
  enter(two, 2);
  enter(one, 1);
  EXPECT_EQ(log, (std::vector{1}));
  one.leave();
  outside.time.run_for(1ms);
  EXPECT_EQ(log, (std::vector{1, 2}));
  two.leave();
  outside.time.run_for(1ms);
  EXPECT_EQ(log, (std::vector{1, 2, 3}));
}

TEST_F(LinesTest, OtherLinesAndPrioritiesDoNotWait) {
  Lines::Place one(lines, alice, Priority::low);
  Lines::Place two(lines, alice, Priority::high);
  Lines::Place three(lines, bob, Priority::low);
  enter(two, 2);
  enter(three, 3);
  EXPECT_EQ(log, (std::vector{2, 3}));
}

TEST_F(LinesTest, WhoLeavesTheLineBeforeItsTurnHoldsNobodyUp) {
  auto one = std::make_unique<Lines::Place>(lines, alice, Priority::high);
  auto two = std::make_unique<Lines::Place>(lines, alice, Priority::high);
  Lines::Place three(lines, alice, Priority::high);
  enter(three, 3);
  two.reset();
  EXPECT_TRUE(log.empty());
  one.reset();
  outside.time.run_for(1ms);
  EXPECT_EQ(log, (std::vector{3}));
}

TEST_F(LinesTest, TheLastToLeaveIsFollowedByWhoIsStillBefore) {
  Lines::Place one(lines, alice, Priority::high);
  { Lines::Place two(lines, alice, Priority::high); }
  Lines::Place three(lines, alice, Priority::high);
  enter(three, 3);
  EXPECT_TRUE(log.empty());
  one.leave();
  outside.time.run_for(1ms);
  EXPECT_EQ(log, (std::vector{3}));
}

TEST_F(LinesTest, WhoIsTurnedAwayWaitsNoLongerAndWhoComesLaterDoes) {
  Lines::Place one(lines, alice, Priority::high);
  auto two = std::make_unique<Lines::Place>(lines, alice, Priority::high);
  auto three = std::make_unique<Lines::Place>(lines, alice, Priority::high);
  enter(*two, 2);
  one.turn_others_away();
  enter(*three, 3);
  EXPECT_EQ(log, (std::vector{-2, -3}));
  Lines::Place four(lines, alice, Priority::high);
  enter(four, 4);
  two.reset();
  three.reset();
  outside.time.run_for(1ms);
  EXPECT_EQ(log.size(), 2u);
  one.leave();
  outside.time.run_for(1ms);
  EXPECT_EQ(log, (std::vector{-2, -3, 4}));
}

/// Two nodes, one user: what reaches Apple is in the order in which it was accepted.
TEST_F(LinesTest, AUsersNotificationsReachTheProviderInOrderWhicheverNodeSends) {
  Node a(outside, "a", {.limits = {.lease_max = 3}});
  Node b(outside, "b", {.limits = {.lease_max = 3}});
  b.link.one_way = 7ms;
  a.start();
  b.start();
  outside.time.run_for(2s);
  for (Node* node : {&a, &b}) {  // so that both are as quick from the first on
    ASSERT_TRUE(node->run(node->deciding.read(fakes::sample_user())));
  }
  std::vector<base::NotificationId> sent;
  for (std::uint8_t i = 1; i <= 200; ++i) {
    sent.push_back(queued(i).id);
    // Which of them may lease changes while the other is still at work.
    Node& leasing = i / 9 % 2 == 0 ? a : b;
    Node& resting = i / 9 % 2 == 0 ? b : a;
    leasing.queue.faults.lease.clear();
    resting.queue.faults.lease.fail(base::Errc::unavailable);
    outside.time.run_for(i % 5 == 0 ? 60ms : 1ms);
  }
  a.queue.faults.lease.clear();
  outside.time.run_for(5s);
  std::vector<base::NotificationId> received;
  for (const auto& one : outside.apple.received) received.push_back(one.notification);
  EXPECT_EQ(received, sent);
  EXPECT_GT(a.sent.size(), 0u);
  EXPECT_GT(b.sent.size(), 0u);
}

}  // namespace
}  // namespace notify::flows
