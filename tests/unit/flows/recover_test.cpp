#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::Status;

using RecoverTest = TwoNodesTest;

TEST_F(RecoverTest, BeforeTheFirstHeartbeatNoLeaseIsOurs) {
  EXPECT_EQ(a->heartbeat.lease_term(), 0u);
  a->keep_alive();
  outside.time.run_for(100ms);
  EXPECT_NE(a->heartbeat.lease_term(), 0u);
}

TEST_F(RecoverTest, HeartbeatsKeepTheLeasesOurs) {
  a->keep_alive();
  outside.time.run_for(100ms);
  for (int i = 0; i < 100; ++i) {
    outside.time.run_for(500ms);
    ASSERT_EQ(a->heartbeat.lease_term(), 1u);
    ASSERT_GT(outside.books.register_.at("a").until, outside.clock.steady_now());
  }
}

TEST_F(RecoverTest, LeasesStopBeingOursBeforeAnybodyMayTakeThemOver) {
  a->keep_alive();
  outside.time.run_for(100ms);
  a->queue.faults.heartbeat.fail(Errc::unavailable);
  ASSERT_TRUE(outside.time.run_until([&] { return a->heartbeat.lease_term() == 0; }, 1min));
  EXPECT_GE(outside.books.register_.at("a").until - outside.clock.steady_now(), 900ms);
  EXPECT_TRUE(a->step_failed("heartbeat"));
  a->queue.faults.heartbeat.clear();
  outside.time.run_for(2s);
  EXPECT_EQ(a->heartbeat.lease_term(), 2u) << "what was leased before may be somebody else's";
}

TEST_F(RecoverTest, AHeartbeatWhoseAnswerIsLostDoesNotCount) {
  a->queue.faults.heartbeat.lose_answers();
  a->keep_alive();
  outside.time.run_for(3s);
  EXPECT_EQ(a->heartbeat.lease_term(), 0u);
}

TEST_F(RecoverTest, TheLeasesOfADeadNodeAreTakenOverInTime) {
  outside.apple.holds_answers = true;
  a->start();
  const auto n = queued();
  outside.time.run_for(2s);
  ASSERT_TRUE(outside.books.leased["a"].contains(n.id));
  start_b();
  a->freeze();
  outside.apple.holds_answers = false;
  // Half of the time the dead one was also the elected one: then that has to run out first.
  const HeartbeatPolicy policy;
  ASSERT_TRUE(outside.time.run_until([&] { return b->taken_over == 1; },
                                     policy.timeout + 3 * policy.interval));
  ASSERT_TRUE(run_until_idle(2s));
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(RecoverTest, ARowThatWasNeverQueuedIsSwept) {
  a->start();
  outside.time.run_for(1s);
  const auto n = committed();
  const RecoverPolicy policy;
  ASSERT_TRUE(outside.time.run_until([&] { return status(n) == Status::delivered; },
                                     policy.grace + policy.sweep_interval + 1s));
  EXPECT_EQ(a->readmitted, 1u);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

TEST_F(RecoverTest, ARowThatIsOnItsWayIsLeftAlone) {
  a->keep_alive();
  outside.time.run_for(1s);
  committed();
  outside.clock.advance(4s);
  outside.time.run_for(10ms);
  EXPECT_EQ(a->readmitted, 0u);
}

TEST_F(RecoverTest, TheFirstSweepFindsWhatIsADayOld) {
  const auto n = committed();
  outside.clock.advance(3h);
  a.reset();
  a = std::make_unique<Node>(outside, "a2", NodeOptions{});
  a->start();
  outside.time.run_for(3s);
  EXPECT_EQ(status(n), Status::delivered);
}

/// Made, checked, and committed only when the sweeps have long passed its instant.
TEST_F(RecoverTest, ARowThatIsCommittedMinutesLateIsFoundBySweeps) {
  NodeOptions options;
  options.recover.patrol_interval = 24h;
  a.reset();
  a = std::make_unique<Node>(outside, "a", options);
  a->start();
  outside.time.run_for(10s);
  outside.table.commit_takes = [] { return 3min; };
  std::optional<Answer<Accepted>> answer;
  a->background.spawn(async::store_result(accept_one(a->accept, good_request()), answer));
  outside.time.run_for(10s);
  ASSERT_TRUE(answer && !*answer) << "nobody knows yet";
  outside.table.commit_takes = nullptr;
  outside.time.run_for(4min);
  ASSERT_EQ(outside.table.rows.size(), 1u);
  EXPECT_EQ(outside.table.rows.begin()->second.record.status, Status::delivered);
}

TEST_F(RecoverTest, ThePatrolFindsWhatAllElseHasMissed) {
  a->start();
  outside.time.run_for(10s);
  const auto n = committed();
  outside.clock.advance(20min);
  outside.books.swept = now();  // vouched for by somebody, and wrongly
  outside.time.run_for(11min);
  EXPECT_EQ(status(n), Status::delivered);
}

struct RepeatOfWhatIsPending : RecoverTest {
  /// The first call's notification is pending and in no queue; then the call comes again.
  void expect_that_a_repeat_has_it_looked_at(NodeOptions options) {
    options.recover.patrol_interval = 24h;
    options.recover.sweep_interval = 24h;
    a.reset();
    a = std::make_unique<Node>(outside, "a", options);
    outside.time.run_for(1s);
    a->queue.faults.enqueue.fail(Errc::unavailable, 1);
    const auto first = a->run(accept_one(a->accept, good_request()));
    ASSERT_TRUE(first);
    a->start();
    outside.books.swept = now() + 1h;
    outside.time.run_for(20s);
    outside.books.swept = now() + 1h;
    ASSERT_EQ(outside.table.rows.at(first->id).record.status, Status::pending);
    const auto again = a->run(accept_one(a->accept, good_request()));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->is_repeat);
    outside.time.run_for(1s);
    EXPECT_EQ(outside.table.rows.at(first->id).record.status, Status::delivered);
  }
};

TEST_F(RepeatOfWhatIsPending, HasItLookedAt) { expect_that_a_repeat_has_it_looked_at({}); }

TEST_F(RepeatOfWhatIsPending, OverTheLimitToo) {
  using enum rules::LimitSubject;
  expect_that_a_repeat_has_it_looked_at(
      {.rate_limits = {{{user, rules::LimitWindow::hour, 1}}, {}}});
}

TEST_F(RecoverTest, ANodeWhoseClockIsOffNeitherLeadsNorAccepts) {
  a->start();
  outside.time.run_for(2s);
  ASSERT_TRUE(a->heartbeat.pulse().leads);
  a->clock.set_ahead(1min);
  outside.time.run_for(2s);
  EXPECT_FALSE(a->heartbeat.pulse().leads);
  const auto refused = a->run(accept_one(a->accept, good_request()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, Errc::unavailable);
  EXPECT_TRUE(outside.table.rows.empty());
  start_b();
  outside.time.run_for(2s);
  EXPECT_TRUE(b->heartbeat.pulse().leads);
  a->clock.set_ahead(0ms);
  outside.time.run_for(2s);
  EXPECT_TRUE(a->run(accept_one(a->accept, good_request())));
}

TEST_F(RecoverTest, ARowThatCannotBeReadDoesNotStopASweep) {
  const auto bad = committed(1);
  const auto good = committed(2);
  outside.table.rows.at(bad.id).is_unreadable = true;
  outside.clock.advance(10s);
  a->start();
  outside.time.run_for(3s);
  EXPECT_EQ(status(good), Status::delivered);
  EXPECT_GE(a->unreadable, 1u);
}

TEST_F(RecoverTest, WhatComesDueIsPromotedAheadOfItsTimeAndSentInIt) {
  const auto n = committed();
  stores::DeliveryRecord record;
  record.notification = n.id;
  record.due = stores::Due{now() + 10min, stores::DueReason::retry, ""};
  outside.table.record(record);
  a->start();
  outside.time.run_for(10min - 30s);
  EXPECT_FALSE(in_books(n));
  outside.time.run_for(28s);
  EXPECT_TRUE(outside.books.queued.contains(n.id));
  EXPECT_TRUE(outside.apple.received.empty());
  outside.time.run_for(3s);
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_LE(outside.apple.received.at(0).at, record.due->at + 200ms);
}

TEST_F(RecoverTest, AnOrphanedLeaseIsReclaimedOnlyWhenSeenTwice) {
  a->keep_alive();
  outside.time.run_for(1500ms);
  const auto n = committed();
  outside.books.leased["a"][n.id] = n;
  outside.time.run_for(1s);  // seen once
  EXPECT_TRUE(outside.books.leased["a"].contains(n.id));
  outside.time.run_for(1100ms);
  EXPECT_FALSE(outside.books.leased["a"].contains(n.id));
  EXPECT_TRUE(outside.books.queued.contains(n.id));
  EXPECT_TRUE(outside.books.suspects.contains(n.id));
}

TEST_F(RecoverTest, ALeaseThatIsWorkedOnIsNoOrphan) {
  outside.apple.holds_answers = true;
  a->start();
  const auto n = queued();
  outside.time.run_for(8s);
  EXPECT_TRUE(outside.books.leased["a"].contains(n.id));
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  outside.apple.holds_answers = false;
}

TEST_F(RecoverTest, ALeaseWhoseAnswerWasLostIsDelivered) {
  a->queue.faults.lease.lose_answers(1);
  const auto n = queued();
  a->start();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

TEST_F(RecoverTest, AnAckThatFailedIsMadeUpForWithoutAnotherSend) {
  a->queue.faults.ack.fail(Errc::unavailable, 1);
  const auto n = queued();
  a->start();
  ASSERT_TRUE(run_until_idle(10s));
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(RecoverTest, ASweepGoesOverAllPages) {
  NodeOptions options;
  options.recover.page = 7;
  a.reset();
  a = std::make_unique<Node>(outside, "a", options);
  for (std::uint8_t i = 1; i <= 50; ++i) {
    committed(i);
    if (i % 3 == 0) outside.clock.advance(1ms);
  }
  outside.clock.advance(10s);
  a->keep_alive();
  outside.time.run_for(3s);
  EXPECT_EQ(outside.books.queued.size(), 50u);
  EXPECT_EQ(a->readmitted, 50u);
}

TEST_F(RecoverTest, ASweepThatBreaksOffIsMadeAgainFromItsStart) {
  const auto n = committed();
  outside.clock.advance(10s);
  a->queue.faults.leases.fail(Errc::unavailable);
  a->keep_alive();
  outside.time.run_for(5min);
  EXPECT_FALSE(in_books(n));
  a->queue.faults.leases.clear();
  outside.time.run_for(11s);
  EXPECT_TRUE(outside.books.queued.contains(n.id));
}

TEST_F(RecoverTest, AQueueThatWasLostIsRebuiltFromTheLedger) {
  // Enough wait, and long enough, that their rows are older than what a sweep usually looks at.
  a->keep_alive();
  for (std::uint8_t i = 1; i <= 20; ++i) queued(i);
  outside.time.run_for(5min);
  outside.books.empty();
  outside.time.run_for(1min);
  EXPECT_EQ(outside.books.queued.size(), 20u)
      << "losing the queue must cost time, never a notification";
}

TEST_F(RecoverTest, WhoSignsOffLeavesItsLeasesToTheOthers) {
  a->keep_alive();
  outside.time.run_for(1s);
  const auto n = committed();
  outside.books.leased["a"][n.id] = n;
  a->run(a->recover.stop());
  a->run(a->heartbeat.stop());
  a->run(a->heartbeat.sign_off());
  EXPECT_EQ(a->heartbeat.lease_term(), 0u);
  EXPECT_FALSE(outside.books.register_.contains("a"));
  EXPECT_TRUE(outside.books.queued.contains(n.id));
}

TEST_F(RecoverTest, ANodeThatWasFrozenDoesNotSendWithLeasesThatWereTakenOver) {
  a->start();
  outside.time.run_for(2s);
  a->link.one_way = 100ms;
  const auto n = queued();
  ASSERT_TRUE(outside.time.run_until([&] { return a->deliver.holds(n.id); }, 5s));
  a->freeze();  // before it has its user's devices
  start_b();
  ASSERT_TRUE(outside.time.run_until([&] { return status(n) == Status::delivered; }, 10s));
  a->thaw();
  outside.time.run_for(30s);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

/// Found by the simulation: it has heartbeats again before it comes to send.
TEST_F(RecoverTest, ANodeThatIsBackDoesNotSendWhatItLeasedBeforeItWasLost) {
  outside.apple.holds_answers = true;
  a->start();
  outside.time.run_for(2s);
  const auto first = queued(1);
  const auto second = queued(2);  // waits for its turn
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(first.id) == 1; }, 5s));
  start_b();
  a->freeze();
  outside.apple.holds_answers = false;
  ASSERT_TRUE(outside.time.run_until([&] { return status(second) == Status::delivered; }, 9s));
  outside.apple.holds_answers = true;
  a->thaw();
  outside.time.run_for(1500ms);
  EXPECT_EQ(a->heartbeat.lease_term(), 2u);
  outside.apple.holds_answers = false;
  outside.time.run_for(30s);
  EXPECT_EQ(outside.apple.count(second.id), 1u);
}

}  // namespace
}  // namespace notify::flows
