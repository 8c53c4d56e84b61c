#include "edges/grpc/admin_messages.hpp"

#include <gtest/gtest.h>

#include "edges/grpc/wire.hpp"
#include "fakes/samples.hpp"
#include "net/grpc/timestamp.hpp"

namespace notify::edges {
namespace {

using namespace std::chrono_literals;
namespace pb = notification;

const base::WallTime kNow(1'790'000'000'000ms);

struct AdminMessagesTest : testing::Test {
  pb::ReplayNotificationsRequest request;
  rules::Violations violations;

  AdminMessagesTest() { request.set_actor("dora"); }

  flows::ReplayRequest read() {
    violations.clear();
    return to_flows(request, kNow, violations);
  }
  std::vector<std::string> bad_fields() {
    std::vector<std::string> fields;
    read();
    for (const auto& violation : violations) fields.push_back(violation.field);
    return fields;
  }
  using Fields = std::vector<std::string>;
};

TEST_F(AdminMessagesTest, WhatIsNotSetHasItsDefault) {
  const flows::ReplayRequest wanted = read();
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(wanted.filter.from, kNow - 24h);
  EXPECT_EQ(wanted.filter.until, kNow);
  EXPECT_FALSE(wanted.filter.provider || wanted.filter.error_code || wanted.filter.type ||
               wanted.filter.user || wanted.filter.notification);
  EXPECT_EQ(wanted.rate, 200);
  EXPECT_FALSE(wanted.extend || wanted.dry_run);
  EXPECT_EQ(wanted.actor, "dora");
}

TEST_F(AdminMessagesTest, EveryFieldIsRead) {
  pb::DeadLetterFilter& filter = *request.mutable_filter();
  net::set(filter.mutable_from(), kNow - 2h);
  net::set(filter.mutable_to(), kNow - 1h);
  filter.set_provider("apns");
  filter.set_error_code("400 BadTopic");
  filter.set_user_id(fakes::sample_user().to_string());
  filter.set_type("message");
  request.mutable_extend()->set_seconds(7200);
  request.set_rate(10);
  request.set_dry_run(true);
  request.set_reason("the topic was wrong");
  const flows::ReplayRequest wanted = read();
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(wanted.filter.from, kNow - 2h);
  EXPECT_EQ(wanted.filter.until, kNow - 1h);
  EXPECT_EQ(wanted.filter.provider, "apns");
  EXPECT_EQ(wanted.filter.error_code, "400 BadTopic");
  EXPECT_EQ(wanted.filter.user, fakes::sample_user());
  EXPECT_EQ(wanted.filter.type, "message");
  EXPECT_EQ(wanted.extend, 2h);
  EXPECT_EQ(wanted.rate, 10);
  EXPECT_TRUE(wanted.dry_run);
  EXPECT_EQ(wanted.reason, "the topic was wrong");
}

TEST_F(AdminMessagesTest, EverythingThatIsWrongIsNamed) {
  pb::DeadLetterFilter& filter = *request.mutable_filter();
  filter.mutable_from()->set_seconds(-1);
  filter.mutable_to()->set_nanos(1'000'000'000);
  filter.set_provider("APNs");
  filter.set_error_code(std::string(51, 'x'));
  filter.set_user_id("dora");
  filter.set_type("Call!");
  request.mutable_extend()->set_seconds(59);
  request.set_rate(-1);
  request.set_actor("");
  request.set_reason("a\x01");
  EXPECT_EQ(bad_fields(),
            (Fields{"filter.from", "filter.to", "filter.user_id", "filter.provider",
                    "filter.error_code", "filter.type", "extend", "rate", "actor", "reason"}));
  for (const auto& violation : violations) EXPECT_NE(violation.description, "") << violation.field;
}

TEST_F(AdminMessagesTest, ARangeRunsForwardAndNotFartherThanAttemptsAreKept) {
  pb::DeadLetterFilter& filter = *request.mutable_filter();
  net::set(filter.mutable_from(), kNow - 24h * 30 - 1s);
  EXPECT_EQ(bad_fields(), Fields{"filter.from"});
  net::set(filter.mutable_from(), kNow - 24h * 30);
  EXPECT_EQ(bad_fields(), Fields{});
  net::set(filter.mutable_from(), kNow + 1s);
  EXPECT_EQ(bad_fields(), Fields{"filter.from"});
  net::set(filter.mutable_to(), kNow + 1s);
  EXPECT_EQ(bad_fields(), Fields{"filter.from"});
  filter.clear_from();
  net::set(filter.mutable_to(), kNow - 48h);
  EXPECT_EQ(read().filter.from, kNow - 72h);  // a day, as always
}

TEST_F(AdminMessagesTest, OneNotificationIsItsMillisecond) {
  const auto id = fakes::sample_notification(kNow - 3h).id;
  pb::DeadLetterFilter& filter = *request.mutable_filter();
  filter.set_notification_id(id.to_string());
  const flows::ReplayRequest wanted = read();
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(wanted.filter.from, kNow - 3h);
  EXPECT_EQ(wanted.filter.until, kNow - 3h + 1ms);
  EXPECT_EQ(wanted.filter.notification, id);
  net::set(filter.mutable_from(), kNow - 4h);
  EXPECT_EQ(bad_fields(), Fields{"filter.notification_id"});
  filter.clear_from();
  for (const char* other : {"a11ce000-0000-4000-8000-000000000001", "yesterday"}) {
    filter.set_notification_id(other);
    EXPECT_EQ(bad_fields(), Fields{"filter.notification_id"}) << other;
  }
}

TEST_F(AdminMessagesTest, ProgressAndLettersAreTold) {
  flows::ReplayProgress progress;
  progress.state = flows::ReplayState::done;
  progress.looked_at = 100;
  progress.matched = 10;
  progress.counts = {1, 2, 3, 4};
  progress.reached = kNow;
  pb::ReplayNotificationsResponse told;
  encode(progress, told);
  EXPECT_EQ(told.state(), pb::REPLAY_STATE_DONE);
  EXPECT_EQ(told.looked_at() + told.matched(), 110);
  EXPECT_EQ(told.replayed(), 1);
  EXPECT_EQ(told.expired(), 2);
  EXPECT_EQ(told.waiting(), 3);
  EXPECT_EQ(told.changed(), 4);
  EXPECT_EQ(told.reached().seconds(), 1'790'000'000);

  stores::DeadLetter letter;
  letter.id = fakes::sample_notification(kNow).id;
  letter.error_code = stores::kNoDevice;
  letter.waits = true;
  pb::DeadLetter shown;
  encode(letter, shown);
  EXPECT_EQ(shown.notification_id(), letter.id.to_string());
  EXPECT_EQ(shown.created_at().seconds(), 1'790'000'000);
  EXPECT_EQ(shown.error_code(), "no device");
  EXPECT_FALSE(shown.has_attempted_at() || shown.has_replayed_at());
  EXPECT_TRUE(shown.waiting());
}

TEST(PageToken, LeadsBackToItsIdAndToNothingElse) {
  const auto id = fakes::sample_notification(kNow).id;
  EXPECT_EQ(decode_page_token(encode_page_token(id)), id);
  for (const char* other : {"", "x", "AAAAAAAAAAAAAAAAAAAAAA", "!"}) {
    EXPECT_FALSE(decode_page_token(other)) << other;
  }
}

}  // namespace
}  // namespace notify::edges
