// A notification is taken back: from wherever it is, whoever has it, and whatever is away.

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::CancelResult;
using rules::OutcomeKind;
using rules::Status;

struct CancelTest : FlowTest {
  static NodeOptions options() {
    NodeOptions options;
    options.retry.delays = {5s, 5s};
    return options;
  }
  Node node{outside, "a", options()};

  CancelTest() {
    node.keep_alive();
    outside.time.run_for(2s);
  }

  base::Expected<Cancelled> cancel(base::NotificationId id) {
    return node.run(node.cancel.cancel(id, node.loop.timers.after(10s)));
  }
  CancelResult result(base::NotificationId id) {
    const auto cancelled = cancel(id);
    EXPECT_TRUE(cancelled) << (cancelled ? "" : cancelled.error().detail);
    return cancelled ? cancelled->result : CancelResult{};
  }
  void expect_never_sent(const rules::Notification& n) {
    node.deliver.start();
    outside.time.run_for(1min);
    EXPECT_EQ(outside.apple.count(n.id), 0u);
    EXPECT_EQ(status(n), Status::cancelled);
    EXPECT_FALSE(in_books(n));
    EXPECT_FALSE(row(n).due);
    EXPECT_TRUE(outside.books.suspects.empty()) << "nothing is left behind";
  }
};

TEST_F(CancelTest, WhatIsQueuedIsNotSentAnyMoreAndItsRecordSaysWhy) {
  const rules::Notification n = queued();
  const auto cancelled = cancel(n.id);
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->result, CancelResult::cancelled);
  EXPECT_EQ(cancelled->status, Status::cancelled);
  EXPECT_TRUE(row(n).record.cancelled_at);
  ASSERT_TRUE(row(n).record.decisions.later);
  EXPECT_EQ(row(n).record.decisions.later->by, "lifetime");
  EXPECT_EQ(row(n).record.decisions.later->reasons.at(0).input, "it was cancelled");
  expect_never_sent(n);
  EXPECT_EQ(result(n.id), CancelResult::cancelled) << "as often as it is called";
}

/// It was committed, its caller has the id, and accept has not reached the queue.
TEST_F(CancelTest, WhatIsStillOnItsWayIntoTheQueueFindsItsPlaceTaken) {
  const rules::Notification n = committed();
  EXPECT_EQ(result(n.id), CancelResult::cancelled);
  outside.time.run_for(2s);
  node.deliver.start();
  ASSERT_TRUE(node.run(fakes::enqueue_one(node.queue, {n, n.created_at()})));
  outside.time.run_for(1min);
  EXPECT_EQ(outside.apple.count(n.id), 0u);
  EXPECT_FALSE(in_books(n));
  EXPECT_TRUE(outside.books.suspects.empty());
}

TEST_F(CancelTest, WhatWaitsForARetryIsNotTriedAgain) {
  outside.apple.answer(phone, {outcome(OutcomeKind::retry_later)});
  const rules::Notification n = queued();
  node.deliver.start();
  outside.time.run_for(2s);
  ASSERT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(result(n.id), CancelResult::cancelled);
  outside.time.run_for(1min);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_EQ(status(n), Status::cancelled);
  EXPECT_FALSE(row(n).due || in_books(n));
}

TEST_F(CancelTest, WhatIsScheduledIsTakenBackToo) {
  rules::SendRequest request = good_request();
  request.deliver_at = (now() + 30s).time_since_epoch();
  const auto id = node.run(accept_one(node.accept, request))->id;
  EXPECT_EQ(result(id), CancelResult::cancelled);
  expect_never_sent(outside.table.rows.at(id).record.notification);
}

TEST_F(CancelTest, OfTwoDevicesTheOneThatIsLeftIsNotTriedAgain) {
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  outside.apple.answer(tablet, {outcome(OutcomeKind::retry_later)});
  const rules::Notification n = queued();
  node.deliver.start();
  outside.time.run_for(2s);
  ASSERT_EQ(status(n), Status::delivered);
  ASSERT_TRUE(row(n).due);
  const auto cancelled = cancel(n.id);
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->result, CancelResult::partly_sent);
  EXPECT_EQ(cancelled->status, Status::delivered);
  outside.time.run_for(1min);
  EXPECT_EQ(outside.apple.count(n.id), 2u);
  EXPECT_FALSE(row(n).due || in_books(n));
  EXPECT_EQ(result(n.id), CancelResult::partly_sent);
}

TEST_F(CancelTest, WhatIsOverIsNotTakenBack) {
  const rules::Notification n = queued();
  node.deliver.start();
  outside.time.run_for(2s);
  const auto cancelled = cancel(n.id);
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->result, CancelResult::too_late);
  EXPECT_EQ(cancelled->status, Status::delivered);
  EXPECT_FALSE(row(n).record.cancelled_at);
  outside.apple.answer(phone, {outcome(OutcomeKind::rejected)});
  const rules::Notification failed = queued(2);
  outside.time.run_for(2s);
  EXPECT_EQ(result(failed.id), CancelResult::too_late);
  EXPECT_EQ(status(failed), Status::failed);
}

TEST_F(CancelTest, WhatNobodyKnowsIsNotFound) {
  const auto cancelled = cancel(fakes::sample_notification(now(), 7).id);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::not_found);
}

TEST_F(CancelTest, WhoIsAtWorkOnItIsWaitedFor) {
  outside.apple.holds_answers = true;
  const rules::Notification n = queued();
  node.deliver.start();
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(n.id) == 1; }, 5s));
  std::optional<base::Expected<Cancelled>> answer;
  node.background.spawn(
      async::store_result(node.cancel.cancel(n.id, node.loop.timers.after(10s)), answer));
  outside.time.run_for(1s);
  EXPECT_FALSE(answer) << "it is being sent";
  outside.apple.holds_answers = false;
  outside.time.run_for(500ms);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->result, CancelResult::too_late);
  EXPECT_EQ((*answer)->status, Status::delivered);
}

TEST_F(CancelTest, ButNotForLongAndItIsNotTriedAgain) {
  outside.apple.holds_answers = true;
  outside.apple.answer(phone, {outcome(OutcomeKind::retry_later)});
  const rules::Notification n = queued();
  node.deliver.start();
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(n.id) == 1; }, 5s));
  EXPECT_EQ(result(n.id), CancelResult::too_late) << "it may have got it";
  outside.apple.holds_answers = false;
  // Who did not know records that it is due again.
  ASSERT_TRUE(outside.time.run_until([&] { return row(n).due.has_value(); }, 5s));
  outside.time.run_for(1min);
  EXPECT_EQ(outside.apple.count(n.id), 1u);
  EXPECT_FALSE(row(n).due || in_books(n));
  EXPECT_EQ(result(n.id), CancelResult::cancelled) << "the device has refused it";
}

TEST_F(CancelTest, OfADeadWorkerNobodyKnowsUntilItIsTakenOver) {
  const rules::Notification n = committed();
  outside.books.leased["dead"][n.id] = n;
  outside.books.register_["dead"] = {outside.clock.steady_now() + 5s, 99};
  EXPECT_EQ(result(n.id), CancelResult::too_late);
  outside.time.run_for(10s);
  EXPECT_EQ(result(n.id), CancelResult::cancelled);
  expect_never_sent(n);
}

TEST_F(CancelTest, WithTheQueueAwayItIsNotSaidToBeCancelledUntilThatIsSure) {
  const rules::Notification n = queued();
  node.queue.faults.leases.fail(Errc::unavailable);
  const auto cancelled = cancel(n.id);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Errc::unavailable);
  EXPECT_EQ(status(n), Status::cancelled) << "whoever reads its record stops there";
  node.queue.faults.leases.clear();
  EXPECT_EQ(result(n.id), CancelResult::cancelled);
  expect_never_sent(n);
}

TEST_F(CancelTest, ALastLookThatFailsTakesNothingFromTheOnesBefore) {
  outside.apple.holds_answers = true;
  const rules::Notification n = queued();
  node.deliver.start();
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(n.id) == 1; }, 5s));
  std::optional<base::Expected<Cancelled>> answer;
  node.background.spawn(
      async::store_result(node.cancel.cancel(n.id, node.loop.timers.after(10s)), answer));
  outside.time.run_for(1s);
  node.queue.faults.leases.fail(Errc::timed_out);
  outside.time.run_for(2s);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->result, CancelResult::too_late) << "it was being sent";
  outside.apple.holds_answers = false;
}

TEST_F(CancelTest, WhenTheQueueHasLostItsBooksTheyAreNotBelieved) {
  const rules::Notification n = queued();
  outside.books.empty();
  const auto cancelled = cancel(n.id);
  ASSERT_FALSE(cancelled) << "somebody may be at work on it, and has not said so yet";
  EXPECT_EQ(cancelled.error().code, Errc::unavailable);
  outside.time.run_for(6s);
  EXPECT_EQ(result(n.id), CancelResult::cancelled);
  expect_never_sent(n);
}

TEST_F(CancelTest, ALedgerThatIsAwayIsAnErrorAndNothingIsCancelled) {
  const rules::Notification n = queued();
  node.ledger.faults.record.fail(Errc::unavailable);
  ASSERT_FALSE(cancel(n.id));
  EXPECT_EQ(status(n), Status::pending);
  EXPECT_FALSE(outside.books.suspects.contains(n.id));
}

}  // namespace
}  // namespace notify::flows
