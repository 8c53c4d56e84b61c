#include "push-simulator/fcm_rules.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace notify::simulator {
namespace {

using nlohmann::json;

const std::string kLive = "c0000000000000000000aa:APA91b" + std::string(30, 'a');
const std::string kDead = "c0000000000000000000bb:APA91b" + std::string(30, 'b');

class FcmRulesTest : public ::testing::Test, public FcmTargets {
 protected:
  [[nodiscard]] FcmTarget find_fcm_target(std::string_view token) const override {
    if (token == kLive || token == kLive.substr(0, 22)) return FcmTarget::registered;
    return token == kDead ? FcmTarget::gone : FcmTarget::unknown;
  }
  FcmVerdict judge(const json& message) { return judge_body(json{{"message", message}}.dump()); }
  FcmVerdict judge_body(const std::string& body) {
    body_ = body;
    return rules_.judge(body_);
  }
  std::string violated(const json& message) {
    const FcmVerdict verdict = judge(message);
    return verdict.violation ? verdict.violation->field : "none";
  }

  std::string body_;
  FcmRules rules_{*this};
};

TEST_F(FcmRulesTest, AcceptsWhatTheSchemaKnowsUnderBothNames) {
  const FcmVerdict verdict = judge(
      {{"token", kLive},
       {"data", {{"notification_id", "n1"}, {"k", "v"}}},
       {"notification", {{"title", "t"}, {"body", "b"}}},
       {"android",
        {{"priority", "HIGH"},
         {"ttl", "3600s"},
         {"collapseKey", "c"},
         {"notification",
          {{"channel_id", "m"}, {"tag", "x"}, {"notificationCount", 3}, {"sticky", true}}}}},
       {"apns", {{"headers", {{"apns-priority", "10"}}}, {"payload", {{"aps", {{"badge", 1}}}}}}},
       {"webpush", {{"headers", {{"TTL", "1"}}}, {"notification", {{"silent", true}}}}}});
  EXPECT_EQ(verdict.status, 200) << verdict.message;
  EXPECT_EQ(verdict.token, kLive);
  EXPECT_EQ(verdict.ttl, "3600s");
  EXPECT_EQ(verdict.tag, "x");
  EXPECT_EQ(verdict.collapse_key, "c");
  EXPECT_EQ(verdict.notification_id, "n1");
  EXPECT_FALSE(verdict.validate_only);
  EXPECT_EQ(judge({{"token", kLive}, {"android", {{"priority", "high"}}}}).status, 200);
}

TEST_F(FcmRulesTest, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(violated({{"token", kLive}, {"foo", 1}}), "message");
  EXPECT_EQ(violated({{"token", kLive}, {"data", {{"k", 7}}}}), "message.data[0].value");
  EXPECT_EQ(violated({{"token", kLive}, {"data", {{"a", "x"}, {"b", nullptr}}}}),
            "message.data[1].value");
  EXPECT_EQ(violated({{"token", kLive}, {"android", {{"ttl", "1h"}}}}), "message.android.ttl");
  EXPECT_EQ(violated({{"token", kLive}, {"android", {{"ttl", 3600}}}}), "message.android.ttl");
  EXPECT_EQ(violated({{"token", kLive}, {"android", {{"ttl", "2419201s"}}}}),
            "message.android.ttl");
  EXPECT_EQ(violated({{"token", kLive}, {"android", {{"priority", "urgent"}}}}),
            "message.android.priority");
  EXPECT_EQ(violated({{"token", kLive}, {"android", {{"notification", {{"badge", 1}}}}}}),
            "message.android.notification");
  EXPECT_EQ(violated({{"token", kLive}, {"apns", {{"headers", {{"apns-priority", 10}}}}}}),
            "message.apns.headers[0].value");
  EXPECT_EQ(violated({{"token", 7}}), "message.token");
  EXPECT_EQ(violated({{"token", kLive}, {"topic", "x"}}), "message");
}

TEST_F(FcmRulesTest, TellsATokenThatIsNoneFromOneThatIsGone) {
  const FcmVerdict malformed = judge({{"token", "not a token"}});
  EXPECT_EQ(malformed.status, 400);
  EXPECT_EQ(malformed.error_code, "INVALID_ARGUMENT");
  EXPECT_FALSE(malformed.violation);
  for (const std::string& token : {kDead, "c0000000000000000000cc:APA91b" + std::string(30, 'c')}) {
    const FcmVerdict gone = judge({{"token", token}});
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(gone.rpc_status, "NOT_FOUND");
    EXPECT_EQ(gone.error_code, "UNREGISTERED");
  }
  EXPECT_EQ(judge({{"fid", kLive.substr(0, 22)}}).status, 200);
  EXPECT_EQ(judge(json::object()).error_code, "INVALID_ARGUMENT");
}

TEST_F(FcmRulesTest, RefusesWhatIsTooLargeOrReserved) {
  EXPECT_EQ(judge({{"token", kLive}, {"data", {{"k", std::string(4095, 'x')}}}}).status, 200);
  EXPECT_EQ(judge({{"token", kLive}, {"data", {{"k", std::string(4096, 'x')}}}}).error_code,
            "INVALID_ARGUMENT");
  for (const char* key : {"from", "message_type", "google.x", "gcm.notification.x"}) {
    EXPECT_EQ(judge({{"token", kLive}, {"data", {{key, "x"}}}}).status, 400) << key;
  }
}

TEST_F(FcmRulesTest, DemandsOfAMessageToAppleWhatAppleDemands) {
  const auto status = [&](const json& apns) {
    return judge({{"token", kLive}, {"apns", apns}}).status;
  };
  EXPECT_EQ(status({{"payload", {{"custom", 1}}}}), 400);
  EXPECT_EQ(status({{"headers", {{"authorization", "x"}}}}), 400);
  EXPECT_EQ(status({{"headers", {{"apns-push-type", "background"}, {"apns-priority", "10"}}}}),
            400);
  EXPECT_EQ(status({{"headers", {{"apns-push-type", "background"}, {"apns-priority", "5"}}}}), 200);
}

TEST_F(FcmRulesTest, WhatIsNoJsonIsRefused) {
  for (const char* body : {"", "{", "[]", "7", "{\"message\":7}"}) {
    EXPECT_EQ(judge_body(body).status, 400) << body;
  }
}

TEST_F(FcmRulesTest, AValidationIsToldApart) {
  EXPECT_TRUE(judge_body(json{{"validate_only", true}, {"message", {{"token", kLive}}}}.dump())
                  .validate_only);
  EXPECT_EQ(judge_body(R"({"validate_only":1,"message":{}})").status, 400);
}

}  // namespace
}  // namespace notify::simulator
