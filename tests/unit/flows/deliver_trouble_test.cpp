// Deliver when what it needs is away, when its leases are not its own, and when it has to stop.

#include <map>

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::OutcomeKind;
using rules::Status;

struct DeliverTroubleTest : FlowTest {
  std::unique_ptr<Node> node;

  void SetUp() override { start({}); }
  void start(NodeOptions options) {
    node.reset();
    options.leases_are_ours = true;
    node = std::make_unique<Node>(outside, "a", options);
    node->deliver.start();
  }
  void TearDown() override { node.reset(); }

  /// In the queue as somebody else's leftover.
  rules::Notification suspect(std::uint8_t n = 1) {
    rules::Notification notification = queued(n);
    outside.books.suspects.insert(notification.id);
    return notification;
  }
};

TEST_F(DeliverTroubleTest, WithoutAuthServiceItWaitsAndTheDueRowSaysWhy) {
  node->devices.faults.user_devices.fail(Errc::unavailable);
  const auto n = queued();
  outside.time.run_for(1s);
  ASSERT_TRUE(row(n).due);
  EXPECT_EQ(row(n).due->reason, stores::DueReason::devices_unavailable);
  EXPECT_FALSE(row(n).due->detail.empty());
  EXPECT_EQ(status(n), Status::pending);
  EXPECT_TRUE(node->step_failed("devices"));
  outside.time.run_for(30s);
  EXPECT_GE(node->devices.faults.user_devices.strikes(), 4);

  node->devices.faults.user_devices.clear();
  ASSERT_TRUE(run_until_idle(10s));
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_FALSE(row(n).due);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

TEST_F(DeliverTroubleTest, AProviderThatCannotBeReachedUsesUpNoRetry) {
  outside.apple.to_all = rules::Outcome{.kind = OutcomeKind::not_processed,
                                        .code = "unavailable",
                                        .message = "APNs did not get it: refused"};
  const auto n = queued();
  outside.time.run_for(3h);
  EXPECT_EQ(status(n), Status::pending);
  EXPECT_TRUE(row(n).attempts.empty());
  ASSERT_TRUE(row(n).due);
  EXPECT_EQ(row(n).due->detail, "APNs did not get it: refused");
  EXPECT_LE(node->sent.size(), 150u) << "an outage is not made worse by asking all the time";

  outside.apple.to_all.reset();
  ASSERT_TRUE(outside.time.run_until([&] { return status(n) == Status::delivered; }, 3min));
  ASSERT_EQ(row(n).attempts.size(), 1u);
  EXPECT_EQ(row(n).attempts[0].retry_count, 0);
  outside.apple.to_all = rules::Outcome{.kind = OutcomeKind::not_processed};
  const auto next = queued(2);
  outside.time.run_for(10s);
  EXPECT_TRUE(in_books(next)) << "the next outage is a new one";
}

TEST_F(DeliverTroubleTest, OverItsQuotaItComesWhenItsTurnHasCome) {
  outside.apple.to_all =
      rules::Outcome{.kind = OutcomeKind::not_processed, .retry_after = 40s, .was_asked = false};
  const auto n = queued();
  outside.time.run_for(1s);
  ASSERT_TRUE(row(n).due);
  EXPECT_GE(row(n).due->at, now() + 38s);
}

TEST_F(DeliverTroubleTest, WithoutItsProviderANotificationDiesOfItsOwnExpiry) {
  outside.apple.to_all = rules::Outcome{.kind = OutcomeKind::not_processed};
  const auto n = queued();
  outside.time.run_for(n.expires_at - outside.clock.now() + 1s);
  EXPECT_EQ(status(n), Status::expired);
  EXPECT_FALSE(row(n).due);
}

TEST_F(DeliverTroubleTest, WhatWasNotProcessedForOneDeviceIsTriedForThatOneAlone) {
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  outside.apple.answer(tablet, {rules::Outcome{.kind = OutcomeKind::not_processed}});
  const auto n = queued();
  outside.time.run_for(1s);
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_EQ(row(n).attempts.size(), 1u);
  ASSERT_TRUE(run_until_idle(10s));
  EXPECT_EQ(row(n).attempts.size(), 2u);
}

/// A third of the users has only a device of the dead push service.
struct DeadProviderTest : FlowTest {
  static constexpr std::size_t kUsers = 60;
  std::unique_ptr<Node> node;
  std::size_t made = 0;
  std::map<base::NotificationId, base::WallTime> sent_to_others;
  std::vector<rules::Notification> for_the_dead;

  DeadProviderTest() {
    NodeOptions options;
    options.leases_are_ours = true;
    options.all_push_services = true;
    options.limits.in_flight_max = 200;
    options.limits.breaker.share = 100;
    node = std::make_unique<Node>(outside, "a", options);
    node->deliver.start();
    constexpr rules::Platform kPlatforms[] = {rules::Platform::ios, rules::Platform::android,
                                              rules::Platform::web};
    for (std::uint8_t i = 0; i < kUsers; ++i) {
      outside.devices.of_user[fakes::sample_user(i)] = {
          fakes::sample_device_of(kPlatforms[i % std::size(kPlatforms)], i)};
    }
  }
  void TearDown() override { node.reset(); }

  void send_for(std::chrono::seconds span) {
    for (const base::WallTime end = now() + span; now() < end; outside.time.run_for(10ms)) {
      const auto whose = static_cast<std::uint8_t>(made++ % kUsers);
      rules::Notification n = fakes::sample_notification(now(), 1);
      n.id = base::NotificationId(node->ids.next());
      n.user = fakes::sample_user(whose);
      outside.table.append(n);
      outside.books.queued[n.id] = {n, now()};
      if (whose % 3 == 1) {
        for_the_dead.push_back(n);
      } else {
        sent_to_others[n.id] = now();
      }
    }
  }
  void others_are_not_delayed() {
    std::map<base::NotificationId, base::WallTime> received;
    for (const auto& one : outside.apple.received) received.try_emplace(one.notification, one.at);
    std::size_t late = 0;
    for (const auto& [id, at] : sent_to_others) {
      ASSERT_TRUE(received.contains(id));
      if (received[id] > at + 1s) ++late;
    }
    EXPECT_LE(late, sent_to_others.size() / 20);
  }
  void nothing_for_the_dead_is_lost() {
    ASSERT_TRUE(outside.time.run_until(
        [this] {
          return std::all_of(for_the_dead.begin(), for_the_dead.end(),
                             [this](const auto& n) { return status(n) == Status::delivered; });
        },
        5min));
  }
  std::size_t retries_used() {
    std::size_t used = 0;
    for (const auto& n : for_the_dead) used += row(n).attempts.size() - 1;
    return used;
  }
};

TEST_F(DeadProviderTest, OneThatHangsDelaysNoOtherAndUsesUpFewRetries) {
  outside.apple.dead["fcm"] = fakes::FakePushService::Dead::hangs;
  send_for(12s);
  outside.time.run_for(2s);
  others_are_not_delayed();
  EXPECT_LE(node->fcm.under_way(), 64u);
  outside.time.run_for(2min);
  EXPECT_EQ(node->broken, std::vector{true});
  EXPECT_LE(node->fcm.under_way(), 1u) << "a probe";
  outside.apple.dead.clear();
  nothing_for_the_dead_is_lost();
  EXPECT_EQ(node->broken.back(), false);
  EXPECT_LE(retries_used(), 64u + 40u) << "the first, and the probes";
}

TEST_F(DeadProviderTest, OneThatRefusesDelaysNoOtherAndUsesUpNoRetry) {
  outside.apple.dead["fcm"] = fakes::FakePushService::Dead::refuses;
  send_for(12s);
  outside.time.run_for(2s);
  others_are_not_delayed();
  const std::size_t asked = node->sent.size() - sent_to_others.size();
  EXPECT_LE(asked, 30u) << "of " << for_the_dead.size();
  outside.time.run_for(1min);
  outside.apple.dead.clear();
  nothing_for_the_dead_is_lost();
  EXPECT_EQ(retries_used(), 0u);
  EXPECT_LE(node->fcm.under_way_max(), 100u) << "without a storm";
}

TEST_F(DeliverTroubleTest, AnOutcomeWaitsForTheLedgerWithItsLeaseAndIsNotRepeated) {
  node->ledger.faults.record.fail(Errc::unavailable);
  const auto n = queued();
  outside.time.run_for(1min);
  EXPECT_EQ(status(n), Status::pending);
  EXPECT_TRUE(outside.books.is_leased(n.id));
  EXPECT_TRUE(node->deliver.holds(n.id));
  EXPECT_TRUE(node->step_failed("record"));
  node->ledger.faults.record.clear();
  ASSERT_TRUE(run_until_idle(20s));
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

TEST_F(DeliverTroubleTest, WhoStopsWithoutTheLedgerLeavesASuspectInTheQueue) {
  node->ledger.faults.record.fail(Errc::unavailable);
  const auto n = queued();
  outside.time.run_for(10s);
  ASSERT_EQ(outside.apple.count(n.id), 1u);
  node->run(node->deliver.stop());
  EXPECT_EQ(node->deliver.in_flight(), 0u);
  EXPECT_TRUE(in_books(n));
  EXPECT_EQ(status(n), Status::pending);
}

TEST_F(DeliverTroubleTest, ARecordWhoseAnswerWasLostIsNotSentAgain) {
  node->ledger.faults.record.lose_answers(1);
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(20s));
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
}

TEST_F(DeliverTroubleTest, NothingIsLeasedOrSentWithLeasesThatAreNotOurs) {
  node->leases_ours = false;
  const auto n = queued();
  outside.time.run_for(5s);
  EXPECT_TRUE(outside.books.queued.contains(n.id));
  node->leases_ours = true;
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(DeliverTroubleTest, LeasesThatAreLostDuringTheLookUpOfDevicesAreNotSent) {
  node->link.one_way = 100ms;
  const auto n = queued();
  ASSERT_TRUE(outside.time.run_until([&] { return node->deliver.holds(n.id); }, 5s));
  node->leases_ours = false;
  outside.time.run_for(5s);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(status(n), Status::pending);
  EXPECT_FALSE(node->deliver.holds(n.id));
  EXPECT_TRUE(outside.books.is_leased(n.id));  // recover finds it
}

/// Found by the simulation: a node that did not know of the end had made it due again.
TEST_F(DeliverTroubleTest, WhatIsOverAndStillDueIsSoNoMore) {
  node->leases_ours = false;
  const auto n = suspect();
  stores::DeliveryRecord record;
  record.notification = n.id;
  record.status = Status::failed;
  record.due = stores::Due{now() + 1s, stores::DueReason::devices_unavailable, ""};
  outside.table.record(record);
  node->leases_ours = true;
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_FALSE(row(n).due) << "it would be promoted and closed for ever";
}

TEST_F(DeliverTroubleTest, ASuspectThatWasDeliveredIsAckedWithoutASend) {
  node->leases_ours = false;
  const auto n = suspect();
  stores::DeliveryRecord record;
  record.notification = n.id;
  record.status = Status::delivered;
  rules::Attempt attempt;
  attempt.device = phone.id;
  attempt.id = rules::attempt_id(n.id, phone.id, 0);
  attempt.status = rules::AttemptStatus::delivered;
  record.attempts = {attempt};
  outside.table.record(record);
  node->leases_ours = true;
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(row(n).attempts.size(), 1u);
}

TEST_F(DeliverTroubleTest, ASuspectThatIsFinishedOrUnknownIsAckedWithoutASend) {
  node->leases_ours = false;
  const auto failed = suspect(1);
  stores::DeliveryRecord record;
  record.notification = failed.id;
  record.status = Status::cancelled;
  outside.table.record(record);
  const auto unknown = suspect(2);
  outside.table.rows.erase(unknown.id);
  node->leases_ours = true;
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_TRUE(outside.apple.received.empty());
  outside.time.run_for(1s);
  EXPECT_EQ(node->deliver.in_flight(), 0u);
}

TEST_F(DeliverTroubleTest, ASuspectThatWasNeverTriedIsSent) {
  const auto n = suspect();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(DeliverTroubleTest, WithoutItsProgressASuspectIsNotSentButWaits) {
  node->ledger.faults.progress.fail(Errc::unavailable);
  const auto n = suspect();
  outside.time.run_for(20s);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_TRUE(in_books(n));
  EXPECT_GE(node->ledger.faults.progress.strikes(), 2);
  node->ledger.faults.progress.clear();
  ASSERT_TRUE(run_until_idle(10s));
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(DeliverTroubleTest, AQueueThatIsAwayIsAskedAgain) {
  node->queue.faults.lease.fail(Errc::unavailable, 3);
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(5s));
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_EQ(node->failed_steps, (std::vector<std::string>{"lease", "lease", "lease"}));
}

TEST_F(DeliverTroubleTest, NeverMoreIsUnderWayThanTheBound) {
  start({.limits = {.lease_max = 4, .in_flight_max = 10}});
  for (std::uint8_t i = 1; i <= 60; ++i) {
    outside.devices.of_user[fakes::sample_user(i)] = {fakes::sample_device(i)};
    queued(i, fakes::sample_user(i));
  }
  outside.apple.holds_answers = true;
  std::size_t most = 0;
  outside.time.after_step = [&](auto&) { most = std::max(most, node->deliver.in_flight()); };
  outside.time.run_for(3s);
  EXPECT_EQ(most, 10u);
  EXPECT_EQ(node->provider.under_way(), 10u);
  EXPECT_EQ(outside.books.leased["a"].size(), 10u);
  outside.apple.holds_answers = false;
  ASSERT_TRUE(run_until_idle(1min));
  EXPECT_EQ(most, 10u);
  EXPECT_EQ(node->provider.under_way_max(), 10u);
  for (const auto& [id, entry] : outside.table.rows) {
    EXPECT_EQ(entry.record.status, Status::delivered);
  }
  outside.time.after_step = nullptr;
}

TEST_F(DeliverTroubleTest, StoppingWaitsForWhatIsUnderWayAndLeasesNothingMore) {
  outside.apple.holds_answers = true;
  const auto n = queued(1);
  outside.time.run_for(1s);
  ASSERT_EQ(node->provider.under_way(), 1u);
  bool stopped = false;
  node->background.spawn([](Node& it, bool& done) -> async::Task<void> {
    co_await it.deliver.stop();
    done = true;
  }(*node, stopped));
  const auto late = queued(2);
  outside.time.run_for(1s);
  EXPECT_FALSE(stopped);
  outside.apple.holds_answers = false;
  outside.time.run_for(1s);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(status(n), Status::delivered);
  EXPECT_TRUE(outside.books.queued.contains(late.id));
  EXPECT_EQ(status(late), Status::pending);
}

TEST_F(DeliverTroubleTest, StoppingDoesNotWaitForWhatWaitsForItsTurn) {
  outside.apple.holds_answers = true;
  const auto first = queued(1);
  const auto second = queued(2);
  outside.time.run_for(1s);
  ASSERT_EQ(outside.books.leased["a"].size(), 2u);
  outside.apple.holds_answers = false;
  node->run(node->deliver.stop());
  EXPECT_EQ(status(first), Status::delivered);
  EXPECT_EQ(outside.apple.count(second.id), 0u);
  EXPECT_TRUE(outside.books.leased["a"].contains(second.id)) << "signing off gives it back";
}

TEST_F(DeliverTroubleTest, AfterTheLeasingStopsNothingIsBegunAndTheRestIsRecorded) {
  outside.apple.holds_answers = true;
  const auto first = queued(1);
  const auto waits_for_its_turn = queued(2);
  outside.time.run_for(1s);
  node->deliver.stop_leasing();
  const auto late = queued(3);
  // The others of this process may take as long: an outcome is not given up before stop().
  node->ledger.faults.record.fail(Errc::unavailable, 2);
  outside.apple.holds_answers = false;
  outside.time.run_for(10s);
  EXPECT_EQ(status(first), Status::delivered);
  EXPECT_FALSE(in_books(first));
  EXPECT_EQ(outside.apple.count(waits_for_its_turn.id), 0u);
  EXPECT_EQ(outside.apple.count(late.id), 0u);
  EXPECT_TRUE(outside.books.queued.contains(late.id));
  node->run(node->deliver.stop());
  EXPECT_EQ(outside.apple.received.size(), 1u);
}

TEST_F(DeliverTroubleTest, AReleaseThatWasLostIsNotAnotherSend) {
  node->queue.faults.postpone.lose_answers(1);
  outside.apple.answer(phone, {outcome(OutcomeKind::retry_later)});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(outside.apple.count(n.id), 2u);
  EXPECT_EQ(status(n), Status::delivered);
}

}  // namespace
}  // namespace notify::flows
