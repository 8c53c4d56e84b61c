// Order is owed to a device: one that hangs delays no other, and nothing overtakes on one device.

#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using rules::AttemptStatus;
using rules::LeftOut;
using rules::Status;

struct DeviceOrderTest : FlowTest {
  Node node{outside, "a", {.limits = {.idle_poll = 20ms}, .leases_are_ours = true}};
  std::vector<base::NotificationId> sent;

  DeviceOrderTest() {
    outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
    node.deliver.start();
  }
  void queue(int count) {
    for (int i = 0; i < count; ++i) {
      sent.push_back(queued(static_cast<std::uint8_t>(sent.size() + 1)).id);
      outside.time.run_for(1ms);
    }
  }
  std::vector<base::NotificationId> received_by(const rules::Device& device) {
    std::vector<base::NotificationId> ids;
    for (const auto& one : outside.apple.received) {
      if (one.device == device.id) ids.push_back(one.notification);
    }
    return ids;
  }
  const rules::Attempt* attempt(base::NotificationId id, const rules::Device& device) {
    for (const auto& one : outside.table.rows.at(id).attempts) {
      if (one.device == device.id) return &one;
    }
    return nullptr;
  }
};

TEST_F(DeviceOrderTest, OneThatHangsDelaysNoOther) {
  outside.apple.hanging = {phone.id};
  queue(10);
  outside.time.run_for(1s);
  EXPECT_EQ(received_by(tablet), sent);
  EXPECT_TRUE(received_by(phone).empty());
}

TEST_F(DeviceOrderTest, WhatWaitsBehindOneWithoutAnAnswerIsTriedLaterAndHoldsNoLease) {
  outside.apple.hanging = {phone.id};
  queue(5);
  outside.time.run_for(11s);
  EXPECT_EQ(node.deliver.in_flight(), 0u);
  ASSERT_TRUE(attempt(sent[0], phone));
  EXPECT_EQ(attempt(sent[0], phone)->status, AttemptStatus::unknown);
  for (std::size_t i = 1; i < sent.size(); ++i) {
    EXPECT_FALSE(attempt(sent[i], phone)) << "it uses up no retry: " << i;
    ASSERT_TRUE(outside.table.rows.at(sent[i]).due) << i;
    EXPECT_NE(outside.table.rows.at(sent[i]).due->detail.find("no answer"), std::string::npos);
    EXPECT_EQ(outside.table.rows.at(sent[i]).record.status, Status::delivered);
  }
  EXPECT_EQ(node.left_out, (std::vector(4, LeftOut::no_answer)));
  outside.apple.hanging.clear();
  ASSERT_TRUE(run_until_idle(10min));
  EXPECT_EQ(received_by(phone).size(), sent.size());
  EXPECT_EQ(received_by(tablet), sent);
}

/// A worker may lease 32 of one user.
TEST_F(DeviceOrderTest, OneThatHangsDoesNotUseUpTheLeasesOfItsUser) {
  outside.apple.hanging = {phone.id};
  queue(100);
  outside.time.run_for(45s);
  EXPECT_EQ(received_by(tablet), sent);
}

TEST_F(DeviceOrderTest, NothingOvertakesHoweverLongLookupsAndSendsTake) {
  base::SeededRng rng(7);
  outside.devices.delay = [&rng] { return std::chrono::milliseconds(rng.below(30)); };
  outside.apple.delay = [&rng] { return std::chrono::milliseconds(rng.below(40)); };
  queue(120);
  ASSERT_TRUE(run_until_idle(1min));
  EXPECT_EQ(received_by(phone), sent);
  EXPECT_EQ(received_by(tablet), sent);
}

TEST_F(DeviceOrderTest, APriorityDoesNotWaitForAnother) {
  int sends = 0;
  outside.apple.delay = [&sends] { return ++sends <= 2 ? 5000ms : 0ms; };
  queue(1);
  outside.time.run_for(100ms);
  rules::Notification call = committed(2);
  call.priority = rules::Priority::high;
  outside.books.queued[call.id] = {call, now()};
  outside.time.run_for(1s);
  EXPECT_EQ(received_by(phone), (std::vector{call.id}));
  EXPECT_EQ(received_by(tablet), (std::vector{call.id}));
}

TEST_F(DeviceOrderTest, WhatExpiresOrIsMutedWhileItWaitsForItsTurnIsNotSent) {
  outside.devices.of_user[fakes::sample_user()] = {phone};
  outside.apple.delay = [this] { return outside.apple.received.empty() ? 6000ms : 0ms; };
  queue(1);
  rules::Notification brief = fakes::sample_notification(now(), 2);
  brief.expires_at = now() + 3s;
  outside.table.append(brief);
  outside.books.queued[brief.id] = {brief, now()};
  const auto muted = queued(3);
  outside.time.run_for(1s);
  outside.settings.put(fakes::sample_user(), {.notifications_enabled = false});
  outside.time.run_for(20s);
  EXPECT_EQ(received_by(phone), sent);
  EXPECT_EQ(status(brief), Status::expired);
  EXPECT_EQ(status(muted), Status::suppressed);
}

}  // namespace
}  // namespace notify::flows
