#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::AttemptStatus;
using rules::OutcomeKind;
using rules::Status;

struct DeliverTest : FlowTest {
  std::unique_ptr<Node> node;

  void SetUp() override { start({}); }
  void start(NodeOptions options) {
    node.reset();
    options.leases_are_ours = true;
    options.limits.idle_poll = 500ms;
    node = std::make_unique<Node>(outside, "a", options);
    node->deliver.start();
  }
  void TearDown() override { node.reset(); }
};

TEST_F(DeliverTest, ANotificationIsSentRecordedAndThenAcked) {
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::delivered);
  ASSERT_EQ(row(n).attempts.size(), 1u);
  EXPECT_EQ(row(n).attempts[0].status, AttemptStatus::delivered);
  EXPECT_EQ(row(n).attempts[0].device, phone.id);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(node->finished, (std::vector<Status>{Status::delivered}));
  outside.time.run_for(1s);
  EXPECT_EQ(node->deliver.in_flight(), 0u);
}

TEST_F(DeliverTest, TheRecordIsCommittedBeforeTheLeaseIsGivenUp) {
  const auto n = queued();
  node->queue.faults.ack.fail(Errc::unavailable);
  outside.time.run_for(2s);
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_TRUE(outside.books.is_leased(n.id));
  EXPECT_TRUE(node->step_failed("release"));
}

TEST_F(DeliverTest, AWakeSparesTheWaitForTheNextPoll) {
  outside.time.run_for(101ms);
  const auto n = queued();
  node->deliver.wake();
  outside.time.run_for(50ms);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(DeliverTest, AUserWithoutADeviceGetsNothing) {
  outside.devices.of_user.clear();
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_TRUE(row(n).attempts.empty());
  EXPECT_TRUE(outside.apple.received.empty());
}

TEST_F(DeliverTest, ADeadTokenIsRecordedAndAuthServiceIsTold) {
  rules::Outcome gone = outcome(OutcomeKind::token_gone, "410 Unregistered");
  gone.invalid_since = now() - 1h;
  outside.apple.answer(phone, {gone});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  outside.time.run_for(50s);
  EXPECT_TRUE(outside.devices.reported.empty()) << "it waits whether there are many";
  outside.time.run_for(15s);
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_EQ(row(n).attempts.at(0).status, AttemptStatus::token_gone);
  ASSERT_EQ(outside.devices.reported.size(), 1u);
  EXPECT_EQ(outside.devices.reported[0].device, phone.id);
  EXPECT_TRUE(outside.devices.reported[0].token == phone.token);
  EXPECT_EQ(outside.devices.reported[0].reason, "410 Unregistered");
  EXPECT_EQ(outside.devices.reported[0].invalid_since, *gone.invalid_since);
}

TEST_F(DeliverTest, AReportThatFailsIsRepeatedThreeTimesAtMost) {
  outside.apple.answer(phone, {outcome(OutcomeKind::token_gone)});
  node->devices.faults.report.fail(Errc::unavailable, 2);
  queued();
  outside.time.run_for(90s);
  EXPECT_EQ(outside.devices.reported.size(), 1u);

  outside.apple.answer(phone, {outcome(OutcomeKind::token_gone)});
  node->devices.faults.report.fail(Errc::unavailable);
  queued(2);
  const int before = node->devices.faults.report.strikes();
  outside.time.run_for(2min);
  EXPECT_EQ(node->devices.faults.report.strikes() - before, 3);
}

TEST_F(DeliverTest, ARetryComesInItsTimeWithTheSameApnsId) {
  outside.apple.answer(phone, {outcome(OutcomeKind::retry_later, "503 ServiceUnavailable"),
                               outcome(OutcomeKind::retry_later, "503 ServiceUnavailable")});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(status(n), Status::delivered);
  const auto& tries = outside.apple.received;
  ASSERT_EQ(tries.size(), 3u);
  EXPECT_EQ(tries[0].apns_id, tries[1].apns_id);
  EXPECT_EQ(tries[0].apns_id, tries[2].apns_id);
  EXPECT_GE(tries[1].at - tries[0].at, 30s);
  EXPECT_LE(tries[1].at - tries[0].at, 30s * 6 / 5 + 2s);
  EXPECT_GE(tries[2].at - tries[1].at, 60s);
  EXPECT_LE(tries[2].at - tries[1].at, 60s * 6 / 5 + 2s);
  ASSERT_EQ(row(n).attempts.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(row(n).attempts[static_cast<std::size_t>(i)].retry_count, i);
  }
  EXPECT_FALSE(row(n).due);
}

TEST_F(DeliverTest, WhileARetryWaitsItsDueRowSaysWhen) {
  outside.apple.answer(phone, {outcome(OutcomeKind::retry_later)});
  const auto n = queued();
  outside.time.run_for(5s);
  EXPECT_EQ(status(n), Status::pending);
  ASSERT_TRUE(row(n).due);
  EXPECT_EQ(row(n).due->reason, stores::DueReason::retry);
  EXPECT_EQ(row(n).due->at, row(n).attempts.at(0).next_retry_at);
  ASSERT_TRUE(outside.books.queued.contains(n.id));
  EXPECT_EQ(outside.books.queued.at(n.id).due_at, row(n).due->at);
}

TEST_F(DeliverTest, ARetryBeyondTheHorizonWaitsInTheLedgerAndNotInTheQueue) {
  rules::Outcome later = outcome(OutcomeKind::retry_later);
  later.retry_after = 2h;
  outside.apple.answer(phone, {later});
  const auto n = queued();
  outside.time.run_for(5s);
  ASSERT_TRUE(row(n).due);
  EXPECT_FALSE(in_books(n));
}

TEST_F(DeliverTest, AfterTheLastRetryItHasFailed) {
  start({.retry = {.delays = {1s, 2s}}});
  for (int i = 0; i < 9; ++i) outside.apple.answer(phone, {outcome(OutcomeKind::retry_later)});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(outside.apple.count(n.id), 3u);
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_FALSE(row(n).due);
}

TEST_F(DeliverTest, SilenceIsTriedAgainAndAtTheEndItWasSent) {
  start({.retry = {.delays = {1s}}});
  outside.apple.answer(phone, {outcome(OutcomeKind::unknown), outcome(OutcomeKind::unknown)});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(outside.apple.count(n.id), 2u);
  EXPECT_EQ(status(n), Status::sent);
  EXPECT_EQ(row(n).attempts.at(1).status, AttemptStatus::unknown);
}

TEST_F(DeliverTest, ASendWithoutAnAnswerEndsAtItsTimeout) {
  outside.apple.holds_answers = true;
  const auto n = queued();
  outside.time.run_for(9s);
  EXPECT_EQ(node->deliver.in_flight(), 1u);
  outside.time.run_for(3s);
  EXPECT_EQ(node->deliver.in_flight(), 0u);
  EXPECT_EQ(row(n).attempts.at(0).status, AttemptStatus::unknown);
  outside.apple.holds_answers = false;
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(DeliverTest, OfTwoDevicesOnlyTheOneThatRefusedIsTriedAgain) {
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  outside.apple.answer(tablet, {outcome(OutcomeKind::retry_later)});
  const auto n = queued();
  outside.time.run_for(5s);
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_TRUE(row(n).due);
  ASSERT_TRUE(run_until_idle(10min));
  std::map<base::DeviceId, int> sends;
  for (const auto& received : outside.apple.received) ++sends[received.device];
  EXPECT_EQ(sends[phone.id], 1);
  EXPECT_EQ(sends[tablet.id], 2);
  EXPECT_FALSE(row(n).due);
}

TEST_F(DeliverTest, ADeviceThatIsNotApplesIsRefusedWithoutASend) {
  phone.platform = rules::Platform::android;
  outside.devices.of_user[fakes::sample_user()] = {phone};
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(row(n).attempts.at(0).error_code, "no provider");
}

TEST_F(DeliverTest, ADeviceThatIsNotUnderstoodSpoilsNoOther) {
  rules::Device odd = fakes::sample_device(3);
  odd.platform = rules::Platform::unknown;
  rules::Device nameless = fakes::sample_device(4);
  nameless.id = base::DeviceId();
  outside.devices.of_user[fakes::sample_user()] = {odd, nameless, phone};
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::delivered);
  ASSERT_EQ(outside.apple.received.size(), 1u);
  EXPECT_EQ(outside.apple.received[0].device, phone.id);
  ASSERT_EQ(row(n).attempts.size(), 3u);
  EXPECT_EQ(node->left_out, (std::vector(2, rules::LeftOut::not_understood)));
}

TEST_F(DeliverTest, OneTokenGetsOnePush) {
  tablet.token = phone.token;
  tablet.registered_at = now();
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  outside.apple.answer(tablet, {outcome(OutcomeKind::retry_later)});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(status(n), Status::delivered);
  ASSERT_EQ(outside.apple.received.size(), 2u) << "a try and its retry";
  for (const auto& one : outside.apple.received) EXPECT_EQ(one.device, tablet.id);
  EXPECT_EQ(node->left_out, (std::vector{rules::LeftOut::same_token}));
}

TEST_F(DeliverTest, ATokenOfTheOtherEnvironmentIsNeitherSentToNorReported) {
  phone.environment = rules::Environment::sandbox;
  outside.devices.of_user[fakes::sample_user()] = {phone};
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  outside.time.run_for(5s);
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_EQ(row(n).attempts.at(0).error_code, "other environment");
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_TRUE(outside.devices.reported.empty());
}

TEST_F(DeliverTest, WhatIsOverIsNotSent) {
  const auto n = queued();
  node->queue.faults.lease.fail(Errc::unavailable);
  outside.clock.advance(5h);
  node->queue.faults.lease.clear();
  ASSERT_TRUE(run_until_idle(10s));
  EXPECT_EQ(status(n), Status::expired);
  EXPECT_TRUE(row(n).record.expired_at);
  EXPECT_TRUE(outside.apple.received.empty());
}

TEST_F(DeliverTest, ADeliveredNotificationWhoseOtherDeviceRunsOutOfTimeIsNotCountedAsExpired) {
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  outside.apple.answer(tablet, {outcome(OutcomeKind::retry_later)});
  const auto n = queued();
  outside.time.run_for(5s);
  ASSERT_EQ(status(n), Status::delivered);
  outside.clock.advance(5h);
  ASSERT_TRUE(run_until_idle(1min));
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_FALSE(row(n).due);
  EXPECT_EQ(node->finished, (std::vector<Status>{Status::delivered}));
}

}  // namespace
}  // namespace notify::flows
