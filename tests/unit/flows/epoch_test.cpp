// The queue loses data or goes back in time: what that costs, and what it must not.

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::Status;

using EpochTest = TwoNodesTest;

TEST_F(EpochTest, WhatWasDeliveredAndIsBackInTheQueueIsNotSentAgain) {
  a->start();
  outside.time.run_for(2s);
  const auto n = queued();
  const fakes::FakeQueueData before = outside.books;
  ASSERT_TRUE(run_until_idle(5s));
  outside.books.restart_with(before);
  ASSERT_TRUE(outside.books.queued.contains(n.id));
  outside.time.run_for(20s);
  EXPECT_FALSE(in_books(n));
  EXPECT_TRUE(outside.books.old.empty());
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

TEST_F(EpochTest, WhatIsUnderWayWhenTheQueueGoesBackIsNotSentByAnother) {
  const auto n = sent_by_a_and_unanswered();
  // As it was before the lease.
  fakes::FakeQueueData before = outside.books;
  before.leased.clear();
  before.queued[n.id] = {n, n.created_at()};
  outside.books.restart_with(before);
  outside.time.run_for(8s);
  EXPECT_EQ(outside.apple.count(n.id), 1u) << "its lease should have been claimed anew";
  outside.apple.holds_answers = false;
  outside.time.run_for(20s);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_FALSE(in_books(n));
}

TEST_F(EpochTest, WhatIsUnderWayWhenTheQueueIsEmptiedIsNotSentByAnother) {
  const auto n = sent_by_a_and_unanswered();
  outside.books.empty();
  outside.time.run_for(8s);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  outside.apple.holds_answers = false;
  outside.time.run_for(20s);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(EpochTest, NothingIsLeasedFromAServerThatNoHeartbeatHasSeen) {
  a->start();
  outside.time.run_for(2s);
  a->queue.faults.heartbeat.fail(Errc::unavailable);
  const auto n = queued();
  outside.books.restart_with(outside.books);
  outside.time.run_for(2s);  // its leases are still its own
  EXPECT_TRUE(outside.books.queued.contains(n.id));
  EXPECT_EQ(outside.apple.count(n.id), 0u);
}

TEST_F(EpochTest, WhatIsAcceptedMeanwhileIsDeliveredAtOnce) {
  a->start();
  outside.time.run_for(2s);
  outside.books.empty();
  outside.time.run_for(1500ms);
  const auto n = queued();
  outside.time.run_for(500ms);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(EpochTest, WhatTheQueueLostIsBackWithinSeconds) {
  a->keep_alive();
  outside.time.run_for(2s);
  std::vector<rules::Notification> all;
  for (std::uint8_t i = 1; i <= 20; ++i) {
    all.push_back(queued(i));
    outside.time.run_for(6min);  // over more than one window of the rebuild
  }
  outside.books.empty();
  outside.time.run_for(8s);
  EXPECT_EQ(outside.books.queued.size(), 20u);
  EXPECT_EQ(a->rebuilds, 1u);
  EXPECT_TRUE(outside.books.epoch.whole);
}

TEST_F(EpochTest, AYoungEpochIsNotSwept) {
  a->keep_alive();
  outside.time.run_for(2s);
  const auto n = queued();
  outside.time.run_for(30s);
  outside.books.empty();
  outside.time.run_for(4900ms);
  EXPECT_FALSE(in_books(n)) << "a node that lives may be at work on it";
  outside.time.run_for(3s);
  EXPECT_TRUE(outside.books.queued.contains(n.id));
}

TEST_F(EpochTest, ARebuildThatBreaksOffIsMadeByTheNextElected) {
  a->keep_alive();
  outside.time.run_for(2s);
  const auto n = queued();
  outside.time.run_for(30s);
  outside.books.empty();
  a->ledger.faults.backlog.fail(Errc::unavailable);
  outside.time.run_for(8s);
  EXPECT_FALSE(in_books(n));
  EXPECT_FALSE(outside.books.epoch.whole);
  start_b();
  a->freeze();
  outside.time.run_for(10s);
  EXPECT_EQ(b->elected, 1u);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(EpochTest, ARebuildOfAnEpochThatIsOverDoesNotMakeTheNextOneWhole) {
  a->keep_alive();
  outside.time.run_for(2s);
  for (std::uint8_t i = 1; i <= 3; ++i) queued(i);
  outside.time.run_for(30s);
  outside.books.empty();
  a->link.one_way = 30ms;  // the rebuild takes some time: 300 windows
  ASSERT_TRUE(outside.time.run_until([&] { return !outside.books.queued.empty(); }, 10s));
  outside.books.empty();
  outside.time.run_for(3s);
  EXPECT_FALSE(outside.books.epoch.whole);
  outside.time.run_for(1min);
  EXPECT_EQ(outside.books.queued.size(), 3u);
}

TEST_F(EpochTest, WhatIsDueDoesNotWaitForARebuild) {
  const auto n = committed();
  stores::DeliveryRecord record;
  record.notification = n.id;
  record.due = stores::Due{now() + 20s, stores::DueReason::retry, ""};
  outside.table.record(record);
  outside.books.empty();
  a->ledger.faults.backlog.clear();
  a->link.one_way = 50ms;  // 300 windows of a rebuild take minutes
  a->start();
  outside.time.run_for(25s);
  EXPECT_EQ(a->rebuilds, 0u);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(EpochTest, ARebuildGoesOnWhereAnotherNodeLeftIt) {
  a->link.one_way = 20ms;
  a->keep_alive();
  outside.books.empty();
  ASSERT_TRUE(
      outside.time.run_until([&] { return outside.books.epoch.rebuilt.has_value(); }, 1min));
  outside.time.run_for(2s);
  const stores::Rebuilt before = *outside.books.epoch.rebuilt;
  a->freeze();
  start_b();
  b->link.one_way = 20ms;
  ASSERT_TRUE(outside.time.run_until(
      [&] { return outside.books.epoch.rebuilt->down_to < before.down_to; }, 30s));
  EXPECT_EQ(outside.books.epoch.rebuilt->until, before.until) << "it did not begin anew";
}

/// The server was restarted and has all that was written to it.
TEST_F(EpochTest, AQueueThatLostNothingIsWholeAgainWithinSeconds) {
  a->link.one_way = 20ms;  // a rebuild of a day would take a minute
  a->keep_alive();
  outside.time.run_for(1min);
  ASSERT_TRUE(outside.books.epoch.whole);
  const auto n = queued();
  outside.books.restart_with(outside.books);
  outside.time.run_for(8s);
  EXPECT_TRUE(outside.books.epoch.whole);
  EXPECT_TRUE(outside.books.queued.contains(n.id));
}

/// No sweep looks at what was in the queue when an earlier one passed it.
TEST_F(EpochTest, AQueueThatHasExpiredIsRebuilt) {
  a->keep_alive();
  outside.time.run_for(2s);
  const auto n = queued();
  outside.time.run_for(1min);
  a.reset();
  outside.clock.advance(24h + 1min);
  start_b();
  outside.time.run_for(20s);
  EXPECT_EQ(b->rebuilds, 1u);
  EXPECT_NE(status(n), Status::pending);
}

TEST_F(EpochTest, ANodeThatCannotClaimStopsSending) {
  outside.apple.holds_answers = true;
  a->start();
  outside.time.run_for(2s);
  const auto first = queued(1);
  const auto second = queued(2);  // waits for its turn
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(first.id) == 1; }, 5s));
  const std::uint64_t term = a->heartbeat.lease_term();
  outside.books.empty();
  a->queue.faults.leases.fail(Errc::unavailable);
  outside.time.run_for(2500ms);
  EXPECT_TRUE(a->step_failed("claim"));
  EXPECT_NE(a->heartbeat.lease_term(), term) << "others may be given what it holds";
  outside.apple.holds_answers = false;
  outside.time.run_for(1s);
  EXPECT_EQ(outside.apple.count(second.id), 0u);
  a->queue.faults.leases.clear();
  outside.time.run_for(30s);
  EXPECT_EQ(outside.apple.count(second.id), 1u);
}

TEST_F(EpochTest, WhatAServerHasLostWhileItWasAReplicaIsNotSentAgain) {
  a->start();
  outside.time.run_for(2s);
  const auto n = queued();
  const fakes::FakeQueueData before = outside.books;
  ASSERT_TRUE(run_until_idle(5s));
  outside.books.fail_back_with(before);
  outside.time.run_for(20s);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_FALSE(in_books(n));
}

TEST_F(EpochTest, AHeartbeatThatTheQueueHasLostIsNoDeath) {
  const auto n = sent_by_a_and_unanswered();
  // It comes back with the lease, and with heartbeats that have run out.
  fakes::FakeQueueData before = outside.books;
  before.elected = {"b", outside.clock.steady_now() + 1h};
  for (auto& [node, entry] : before.register_) entry.until = outside.clock.steady_now() - 1s;
  outside.books.restart_with(before);
  outside.time.run_for(8s);
  EXPECT_EQ(a->taken_over + b->taken_over, 0u);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  outside.apple.holds_answers = false;
}

TEST_F(EpochTest, OneIsElectedAndItsSuccessorRules) {
  a->keep_alive();
  outside.time.run_for(2s);
  start_b();
  outside.time.run_for(10s);
  EXPECT_EQ(a->elected, 1u);
  EXPECT_EQ(b->elected, 0u);
  EXPECT_EQ(outside.office.holder, "a");
  EXPECT_GE(outside.office.partitions_made, 1u);
  EXPECT_EQ(outside.office.retired, outside.office.partitions_made) << "what is too old goes, too";
  a->freeze();
  outside.time.run_for(8s);
  EXPECT_EQ(outside.office.holder, "b");
  EXPECT_EQ(outside.office.token, 2);
  a->thaw();
  outside.time.run_for(10s);
  EXPECT_EQ(outside.office.token, 2) << "who was replaced does not come back by itself";
}

TEST_F(EpochTest, WhoWasReplacedWithoutNoticingDoesNothingInTheLedger) {
  NodeOptions options;
  options.recover.upkeep_interval = 100ms;
  a.reset();
  a = std::make_unique<Node>(outside, "a", options);
  a->keep_alive();
  outside.time.run_for(2s);
  ++outside.office.token;  // another was elected
  const std::size_t made = outside.office.partitions_made;
  outside.time.run_for(900ms);
  EXPECT_EQ(outside.office.partitions_made, made);
  EXPECT_TRUE(a->step_failed("make_partitions"));
}

}  // namespace
}  // namespace notify::flows
