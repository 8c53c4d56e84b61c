#include "rules/limits.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "fakes/samples.hpp"

namespace notify::rules {
namespace {

using enum LimitSubject;
using enum LimitWindow;

const base::WallTime kCountedAt = base::parse_sql_timestamp("2026-01-14 22:30:00").value();

struct LimitsTest : testing::Test {
  Notification notification = fakes::sample_notification(kCountedAt);
  LimitPolicy policy{{{user, minute, 60}, {user, day, 1000}, {conversation, hour, 100}}};

  [[nodiscard]] std::vector<std::string> names(const LimitedCaller& caller = {}) const {
    std::vector<std::string> names;
    for (const auto& counter : policy.counters(notification, caller)) names.push_back(counter.name);
    return names;
  }
  std::string user_id = notification.user.to_string();
};

TEST_F(LimitsTest, EveryLimitHasACounterOfItsOwnForEachOfItsSubjects) {
  notification.conversation =
      base::ConversationId(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
  const std::string conversation_id = notification.conversation->to_string();
  EXPECT_EQ(names(),
            (std::vector<std::string>{"user.1m:{" + user_id + "}", "user.1d:{" + user_id + "}",
                                      "conversation.1h:{" + user_id + "}:" + conversation_id}));
  const auto counters = policy.counters(notification, {});
  EXPECT_EQ(counters[1].allowed, 1000);
  EXPECT_EQ(counters[1].window, std::chrono::hours(24));
  EXPECT_EQ(counters[2].limit, 2u);
}

TEST_F(LimitsTest, EachMemberOfAConversationHasACounterInTheSlotOfItsOthers) {
  policy.all = {{conversation, hour, 100}};
  notification.conversation =
      base::ConversationId(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
  const auto mine = policy.counters(notification, {});
  notification.user = fakes::sample_user(2);
  const auto others = policy.counters(notification, {});
  ASSERT_EQ(mine.size(), 1u);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_NE(mine[0].name, others[0].name);
  EXPECT_EQ(policy.reached(mine[0], 100, kCountedAt).subject,
            "conversation:" + user_id + ":" + notification.conversation->to_string());
}

TEST_F(LimitsTest, WhatANotificationDoesNotHaveIsNotCounted) {
  notification.conversation.reset();
  EXPECT_EQ(names().size(), 2u);
}

TEST_F(LimitsTest, CallersAndAddressesAreCountedWhereTheyAreKnown) {
  policy.all = {{caller, minute, 5}, {ip, hour, 6}};
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(names({"spiffe://a", "10.0.0.7"}),
            (std::vector<std::string>{"caller.1m:{spiffe://a}", "ip.1h:{10.0.0.7}"}));
}

TEST_F(LimitsTest, DevicesAreNotKnownWhenANotificationIsAccepted) {
  policy.all = {{device, minute, 5}, {device, day, 9, "promotion"}};
  EXPECT_TRUE(names({"spiffe://a", "10.0.0.7"}).empty());
  EXPECT_TRUE(policy.limits(device));
  EXPECT_FALSE(policy.limits(user));
  const base::DeviceId phone = fakes::sample_device(1).id;
  EXPECT_EQ(policy.counters(phone, "message").size(), 1u);
  const auto counters = policy.counters(phone, "promotion");
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[1].name, "device.1d.promotion:{" + phone.to_string() + "}");
}

TEST_F(LimitsTest, ALimitOfATypeCountsThatTypeBesideTheOthers) {
  policy.all = {{user, minute, 60}, {user, day, 3, "promotion"}};
  EXPECT_EQ(names(), (std::vector<std::string>{"user.1m:{" + user_id + "}"}));
  notification.type = "promotion";
  EXPECT_EQ(names(), (std::vector<std::string>{"user.1m:{" + user_id + "}",
                                               "user.1d.promotion:{" + user_id + "}"}));
}

TEST_F(LimitsTest, OnlyLimitsOfWhoGetsItMayEndInSuppression) {
  policy = {{{user, minute, 1}, {caller, minute, 1}, {ip, minute, 1}}, OverLimit::suppress};
  const auto counters = policy.counters(notification, {"a", "10.0.0.7"});
  EXPECT_EQ(policy.consequence(counters[0]), OverLimit::suppress);
  EXPECT_EQ(policy.consequence(counters[1]), OverLimit::refuse);
  EXPECT_EQ(policy.consequence(counters[2]), OverLimit::refuse);
  policy.over = OverLimit::refuse;
  EXPECT_EQ(policy.consequence(counters[0]), OverLimit::refuse);
}

TEST_F(LimitsTest, WhatIsReachedIsToldWithWhoseItIsAndWhatIsLeft) {
  policy.all = {{user, day, 3, "promotion"}};
  notification.type = "promotion";
  const auto counters = policy.counters(notification, {});
  const LimitReached reached = policy.reached(counters[0], 3, kCountedAt);
  EXPECT_EQ(reached.limit, "user.1d.promotion");
  EXPECT_EQ(reached.subject, "user:" + user_id);
  EXPECT_EQ(reached.left(), 0);
  EXPECT_EQ(describe(reached),
            "limit user.1d.promotion = 3, counted 3, left 0; its window ends at "
            "2026-01-14T22:30:00.000Z");
  EXPECT_EQ(describe({"user.1m", 60, 71}), "limit user.1m = 60, counted 71, left 0");
}

TEST(LimitNames, AreReadAsTheyAreWritten) {
  for (const LimitSubject subject : kLimitSubjects) {
    EXPECT_EQ(parse_limit_subject(name(subject)), subject);
  }
  EXPECT_FALSE(parse_limit_subject("users"));
  EXPECT_EQ(name(Limit{device, hour, 1}), "device.1h");
}

}  // namespace
}  // namespace notify::rules
