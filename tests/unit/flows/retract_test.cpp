// Devices remove their notifications, waiting ones are withdrawn, and a repeat changes nothing.

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::OutcomeKind;
using rules::Status;

struct RetractTest : FlowTest {
  static NodeOptions options() {
    NodeOptions options;
    options.retry.delays = {5s, 5s};
    return options;
  }
  Node node{outside, "a", options()};
  const base::ConversationId chat{fakes::uuid("c0c0c0c0-0000-4000-8000-000000000001")};

  RetractTest() {
    node.keep_alive();
    outside.time.run_for(2s);
  }

  static base::MessageId message(std::uint8_t n) {
    return base::MessageId(base::uuid_v7_from(base::WallTime(), {0, 0, 0, 0, 0, 0, 0, 0, 3, n}));
  }
  /// One of the conversation, about message `n`.
  rules::Notification in_chat(std::uint8_t n, std::string collapse_id = {},
                              base::UserId user = fakes::sample_user()) {
    rules::Notification notification = fakes::sample_notification(now(), n);
    notification.user = user;
    notification.conversation = chat;
    notification.message = message(n);
    notification.presentation.collapse_id = std::move(collapse_id);
    outside.table.append(notification);
    outside.books.queued[notification.id] = {notification, now()};
    return notification;
  }
  RetractOrder of_chat() const {
    RetractOrder order;
    order.scope.user = fakes::sample_user();
    order.scope.conversation = chat;
    return order;
  }
  base::Expected<Retracting> call(const RetractOrder& order) {
    return node.run(node.retract.retract(order, {"spiffe://whispr/chat", "", {}, {}},
                                         node.loop.timers.after(10s)));
  }
  Retracting retract(const RetractOrder& order) {
    auto done = call(order);
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
    return done ? *std::move(done) : Retracting{};
  }
  /// The pushes of retractions, in order.
  std::vector<fakes::FakePushService::Received> told() {
    std::vector<fakes::FakePushService::Received> pushes;
    for (const auto& push : outside.apple.received) {
      if (push.data.contains("retracted_ids")) pushes.push_back(push);
    }
    return pushes;
  }
  void deliver_for(std::chrono::milliseconds time) {
    node.deliver.start();
    outside.time.run_for(time);
  }
};

TEST_F(RetractTest, OnlyTheDevicesThatGotItAreTold) {
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  outside.apple.answer(tablet, {outcome(OutcomeKind::rejected)});
  const rules::Notification n = in_chat(1);
  deliver_for(2s);
  RetractOrder order = of_chat();
  order.badge = 4;
  const Retracting done = retract(order);
  EXPECT_EQ(done.removed, 1u);
  EXPECT_EQ(done.withdrawn, 0u);
  EXPECT_FALSE(done.has_more);
  ASSERT_EQ(done.retractions.size(), 1u);
  outside.time.run_for(2s);
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].device, phone.id);
  EXPECT_EQ(told()[0].notification, done.retractions[0]);
  EXPECT_EQ(told()[0].data.at("retracted_ids"), "[\"" + n.id.to_string() + "\"]");
  EXPECT_EQ(told()[0].data.at("badge"), "4");
  const auto& record = row(n).record;
  EXPECT_EQ(record.status, Status::delivered);
  ASSERT_TRUE(record.retracted);
  EXPECT_EQ(record.retracted->by, done.retractions[0]);
  EXPECT_EQ(record.retracted->caller, "spiffe://whispr/chat");
  EXPECT_EQ(outside.table.rows.at(done.retractions[0]).record.status, Status::delivered);
}

TEST_F(RetractTest, WhatWaitsIsWithdrawnAndNobodyIsTold) {
  const rules::Notification n = in_chat(1);
  const Retracting done = retract(of_chat());
  EXPECT_EQ(done.withdrawn, 1u);
  EXPECT_EQ(done.removed, 0u);
  EXPECT_TRUE(done.retractions.empty());
  deliver_for(1min);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(status(n), Status::cancelled);
  ASSERT_TRUE(row(n).record.retracted);
  EXPECT_FALSE(row(n).record.retracted->by);
}

TEST_F(RetractTest, ARepeatDoesNothing) {
  in_chat(1);
  deliver_for(2s);
  EXPECT_EQ(retract(of_chat()).removed, 1u);
  const Retracting again = retract(of_chat());
  EXPECT_EQ(again.removed + again.withdrawn, 0u);
  outside.time.run_for(1min);
  EXPECT_EQ(told().size(), 1u);
}

/// The retraction was committed, and the marks were not.
TEST_F(RetractTest, AfterAFailureTheSameCallMakesTheSameRetraction) {
  const rules::Notification n = in_chat(1);
  deliver_for(2s);
  node.ledger.faults.record.fail(Errc::unavailable);
  ASSERT_FALSE(call(of_chat()));
  EXPECT_FALSE(row(n).record.retracted);
  node.ledger.faults.record.clear();
  EXPECT_EQ(retract(of_chat()).removed, 1u);
  outside.time.run_for(1min);
  EXPECT_EQ(told().size(), 1u);
  EXPECT_EQ(row(n).record.retracted->by, told()[0].notification);
}

TEST_F(RetractTest, ThoseOfOtherConversationsAndUsersStay) {
  in_chat(1);
  const rules::Notification other_chat = queued(2);
  const rules::Notification other_user = in_chat(3, "", fakes::sample_user(2));
  EXPECT_EQ(retract(of_chat()).withdrawn, 1u);
  EXPECT_FALSE(row(other_chat).record.cancelled_at);
  EXPECT_FALSE(row(other_user).record.cancelled_at);
}

TEST_F(RetractTest, UpToAMessageTheNewerOnesStay) {
  const rules::Notification first = in_chat(1);
  outside.time.run_for(10ms);
  const rules::Notification second = in_chat(2);
  outside.time.run_for(10ms);
  const rules::Notification third = in_chat(3);
  RetractOrder order = of_chat();
  order.up_to = message(2);
  EXPECT_EQ(retract(order).withdrawn, 2u);
  EXPECT_EQ(status(first), Status::cancelled);
  EXPECT_EQ(status(second), Status::cancelled);
  EXPECT_EQ(status(third), Status::pending);
  order.up_to = message(9);
  EXPECT_EQ(call(order).error().code, Errc::not_found);
}

TEST_F(RetractTest, OneMessageAlone) {
  const rules::Notification first = in_chat(1);
  const rules::Notification second = in_chat(2);
  RetractOrder order;
  order.scope.user = fakes::sample_user();
  order.scope.message = message(2);
  EXPECT_EQ(retract(order).withdrawn, 1u);
  EXPECT_EQ(status(first), Status::pending);
  EXPECT_EQ(status(second), Status::cancelled);
}

/// A worker waits for the provider's answer: the device has it already, and no record says so.
TEST_F(RetractTest, WhatIsUnderWayIsFollowedByItsRetraction) {
  outside.apple.holds_answers = true;
  const rules::Notification n = in_chat(1);
  node.deliver.start();
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(n.id) == 1; }, 5s));
  EXPECT_EQ(retract(of_chat()).removed, 1u);
  outside.time.run_for(1s);
  EXPECT_TRUE(told().empty()) << "which devices got it is not known yet";
  outside.apple.holds_answers = false;
  outside.time.run_for(20s);
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].device, phone.id);
  EXPECT_EQ(outside.apple.received.back().notification, told()[0].notification);
}

TEST_F(RetractTest, IfTheDeviceRefusedItAfterAllNobodyIsTold) {
  outside.apple.holds_answers = true;
  outside.apple.answer(phone, {outcome(OutcomeKind::rejected)});
  const rules::Notification n = in_chat(1);
  node.deliver.start();
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.count(n.id) == 1; }, 5s));
  const Retracting done = retract(of_chat());
  ASSERT_EQ(done.retractions.size(), 1u);
  outside.apple.holds_answers = false;
  outside.time.run_for(20s);
  EXPECT_TRUE(told().empty());
  EXPECT_EQ(outside.table.rows.at(done.retractions[0]).record.status, Status::superseded);
}

TEST_F(RetractTest, ANewerOneInItsPlaceStaysOnTheScreen) {
  const rules::Notification older = in_chat(1, "thread");
  deliver_for(2s);
  const rules::Notification newer = in_chat(2, "thread");
  outside.time.run_for(2s);
  RetractOrder order = of_chat();
  order.up_to = message(1);
  EXPECT_EQ(retract(order).removed, 0u);
  outside.time.run_for(1min);
  EXPECT_TRUE(told().empty());
  EXPECT_TRUE(row(older).record.retracted);
  EXPECT_EQ(retract(of_chat()).removed, 1u);
  outside.time.run_for(2s);
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0].data.at("retracted_ids"), "[\"" + newer.id.to_string() + "\"]");
}

TEST_F(RetractTest, ANewerOneThatComesBeforeTheRetractionIsSentStaysToo) {
  in_chat(1, "thread");
  deliver_for(2s);
  outside.apple.to_all = outcome(OutcomeKind::retry_later);
  const Retracting done = retract(of_chat());
  outside.time.run_for(1s);
  in_chat(2, "thread");
  outside.time.run_for(1s);
  outside.apple.to_all.reset();
  outside.time.run_for(20s);
  EXPECT_TRUE(told().empty());
  EXPECT_EQ(outside.table.rows.at(done.retractions.at(0)).record.status, Status::superseded);
}

TEST_F(RetractTest, NoSettingHoldsARetractionBack) {
  in_chat(1);
  deliver_for(2s);
  rules::UserColumns columns;
  columns.notifications_enabled = false;
  outside.settings.put(fakes::sample_user(), columns);
  outside.time.run_for(1min);
  EXPECT_EQ(retract(of_chat()).removed, 1u);
  outside.time.run_for(2s);
  EXPECT_EQ(told().size(), 1u);
}

TEST_F(RetractTest, OneCallTakesAHundredAndSaysThatThereAreMore) {
  for (std::uint8_t i = 1; i <= 101; ++i) in_chat(i);
  const Retracting first = retract(of_chat());
  EXPECT_EQ(first.withdrawn, 100u);
  EXPECT_TRUE(first.has_more);
  const Retracting second = retract(of_chat());
  EXPECT_EQ(second.withdrawn, 1u);
  EXPECT_FALSE(second.has_more);
}

TEST_F(RetractTest, ByIdItIsTheOneAndAnUnknownOneIsSaidToBe) {
  const rules::Notification n = in_chat(1);
  const rules::Notification other = in_chat(2);
  deliver_for(2s);
  RetractOrder order;
  order.notification = n.id;
  EXPECT_EQ(retract(order).removed, 1u);
  EXPECT_EQ(retract(order).removed, 0u);
  EXPECT_FALSE(row(other).record.retracted);
  order.notification = fakes::sample_notification(now(), 77).id;
  EXPECT_EQ(call(order).error().code, Errc::not_found);
}

TEST_F(RetractTest, WithTheQueueAwayTheCallFailsAndARepeatDoesIt) {
  const rules::Notification n = in_chat(1);
  node.queue.faults.leases.fail(Errc::unavailable);
  EXPECT_EQ(call(of_chat()).error().code, Errc::unavailable);
  EXPECT_FALSE(row(n).record.retracted);
  node.queue.faults.leases.clear();
  EXPECT_EQ(retract(of_chat()).withdrawn, 1u);
  deliver_for(1min);
  EXPECT_TRUE(outside.apple.received.empty());
}

}  // namespace
}  // namespace notify::flows
