#include "push-simulator/apns_rules.hpp"

#include <gtest/gtest.h>

#include <map>

namespace notify::simulator {
namespace {

constexpr const char* kToken = "00aa11bb22cc33dd";
constexpr const char* kDeadToken = "dead00dead00";
constexpr const char* kOtherAppToken = "0bad0bad";
constexpr const char* kSandboxToken = "5a5a";
const base::WallTime kDeadSince{std::chrono::milliseconds(1'700'000'000'123)};

class FakeTokens final : public TokenChecker {
 public:
  TokenVerdict check(std::string_view authorization, base::WallTime) override {
    if (authorization.empty()) return TokenVerdict::missing;
    if (authorization == "expired") return TokenVerdict::expired;
    return authorization == "good" ? TokenVerdict::valid : TokenVerdict::invalid;
  }
};

class FakeTargets final : public PushTargets {
 public:
  std::optional<PushTarget> find_target(std::string_view token) const override {
    constexpr auto kProduction = PushEnvironment::production;
    if (token == kToken) return PushTarget{"com.example.app", kProduction, {}};
    if (token == kDeadToken) return PushTarget{"com.example.app", kProduction, kDeadSince};
    if (token == kOtherAppToken) return PushTarget{"com.example.other", kProduction, {}};
    if (token == kSandboxToken) {
      return PushTarget{"com.example.app", PushEnvironment::sandbox, {}};
    }
    return std::nullopt;
  }
};

/// A request that is accepted until a test spoils it.
struct Push {
  std::string method = "POST";
  std::string path = std::string("/3/device/") + kToken;
  std::multimap<std::string, std::string> headers{
      {"authorization", "good"}, {"apns-topic", "com.example.app"}, {"apns-push-type", "alert"}};
  std::string body = R"({"aps":{"alert":"hi"}})";

  Push& with(const std::string& name, const std::string& value) {
    headers.erase(name);
    headers.emplace(name, value);
    return *this;
  }
  Push& without(const std::string& name) {
    headers.erase(name);
    return *this;
  }
  Push& to(const std::string& token) {
    path = "/3/device/" + token;
    return *this;
  }
  Push& carrying(std::string text) {
    body = std::move(text);
    return *this;
  }
};

class Rules : public ::testing::Test {
 protected:
  ApnsVerdict judge(const Push& push) {
    request_.clear();
    request_.method = push.method;
    request_.path = push.path;
    for (const auto& [name, value] : push.headers) request_.headers.add(name, value);
    request_.add_body(push.body);
    return rules_.judge(request_, read_head(request_), base::WallTime{});
  }
  std::string answer(const Push& push) {
    const ApnsVerdict verdict = judge(push);
    return std::to_string(verdict.status) + " " + std::string(verdict.reason);
  }

  FakeTokens tokens_;
  FakeTargets targets_;
  ApnsRules rules_{
      {{"com.example.app", "com.example.other"}, PushEnvironment::production}, tokens_, targets_};
  HttpRequest request_;
};

std::string payload_of(std::size_t size) {
  return R"({"a":")" + std::string(size - 8, 'x') + R"("})";
}

TEST_F(Rules, AcceptAGoodPush) {
  const ApnsVerdict verdict = judge(Push().carrying(R"({"aps":{},"notification_id":"n-1"})"));
  EXPECT_EQ(verdict.status, 200);
  EXPECT_TRUE(verdict.reason.empty());
  EXPECT_TRUE(verdict.provider_token_valid);
  EXPECT_EQ(verdict.notification_id, "n-1");
}

TEST_F(Rules, AllowOnlyPost) {
  Push push;
  push.method = "GET";
  EXPECT_EQ(answer(push), "405 MethodNotAllowed");
}

TEST_F(Rules, KnowOnePath) {
  Push push;
  push.path = "/3/devices/00";
  EXPECT_EQ(answer(push), "404 BadPath");
}

TEST_F(Rules, NeedAProviderToken) {
  EXPECT_EQ(answer(Push().without("authorization")), "403 MissingProviderToken");
  EXPECT_EQ(answer(Push().with("authorization", "forged")), "403 InvalidProviderToken");
  EXPECT_EQ(answer(Push().with("authorization", "expired")), "403 ExpiredProviderToken");
  EXPECT_FALSE(judge(Push().with("authorization", "expired")).provider_token_valid);
  EXPECT_TRUE(judge(Push().to("ffff")).provider_token_valid);
}

TEST_F(Rules, RefuseRepeatedHeaders) {
  Push push;
  push.headers.emplace("apns-topic", "com.example.app");
  EXPECT_EQ(answer(push), "400 DuplicateHeaders");
}

TEST_F(Rules, WantAUuidAsId) {
  EXPECT_EQ(answer(Push().with("apns-id", "0190a5b2-0000-7000-8000-000000000001")), "200 ");
  EXPECT_EQ(answer(Push().with("apns-id", "0190a5b2000070008000000000000001")), "400 BadMessageId");
}

TEST_F(Rules, WantSecondsAsExpiration) {
  EXPECT_EQ(answer(Push().with("apns-expiration", "0")), "200 ");
  EXPECT_EQ(answer(Push().with("apns-expiration", "1790000000")), "200 ");
  EXPECT_EQ(answer(Push().with("apns-expiration", "-1")), "400 BadExpirationDate");
  EXPECT_EQ(answer(Push().with("apns-expiration", "tomorrow")), "400 BadExpirationDate");
}

TEST_F(Rules, WantAPriorityThatFitsThePushType) {
  EXPECT_EQ(answer(Push().with("apns-priority", "10")), "200 ");
  EXPECT_EQ(answer(Push().with("apns-priority", "5")), "200 ");
  EXPECT_EQ(answer(Push().with("apns-priority", "1")), "200 ");
  EXPECT_EQ(answer(Push().with("apns-priority", "7")), "400 BadPriority");
  Push background = Push().with("apns-push-type", "background");
  EXPECT_EQ(answer(background.with("apns-priority", "5")), "200 ");
  EXPECT_EQ(answer(background.with("apns-priority", "10")), "400 BadPriority");
  EXPECT_EQ(answer(background.without("apns-priority")), "400 BadPriority");
}

TEST_F(Rules, LimitTheCollapseIdInBytes) {
  EXPECT_EQ(answer(Push().with("apns-collapse-id", std::string(64, 'c'))), "200 ");
  EXPECT_EQ(answer(Push().with("apns-collapse-id", std::string(65, 'c'))), "400 BadCollapseId");
}

TEST_F(Rules, WantAKnownPushType) {
  EXPECT_EQ(answer(Push().with("apns-push-type", "shout")), "400 InvalidPushType");
  EXPECT_EQ(answer(Push().without("apns-push-type")), "400 InvalidPushType");
}

TEST_F(Rules, WantTheTopicOfThePushType) {
  EXPECT_EQ(answer(Push().without("apns-topic")), "400 MissingTopic");
  EXPECT_EQ(answer(Push().with("apns-topic", "com.stranger")), "400 TopicDisallowed");
  EXPECT_EQ(answer(Push().with("apns-topic", "com.example.app.voip")), "400 BadTopic");
  Push voip = Push().with("apns-push-type", "voip");
  EXPECT_EQ(answer(voip), "400 BadTopic");
  EXPECT_EQ(answer(voip.with("apns-topic", "com.example.app.voip")), "200 ");
  for (const auto& [type, suffix] :
       std::map<std::string, std::string>{{"location", ".location-query"},
                                          {"complication", ".complication"},
                                          {"fileprovider", ".pushkit.fileprovider"},
                                          {"liveactivity", ".push-type.liveactivity"},
                                          {"pushtotalk", ".voip-ptt"}}) {
    EXPECT_EQ(
        answer(Push().with("apns-push-type", type).with("apns-topic", "com.example.app" + suffix)),
        "200 ")
        << type;
  }
}

TEST_F(Rules, LimitThePayload) {
  EXPECT_EQ(answer(Push().carrying(payload_of(4096))), "200 ");
  EXPECT_EQ(answer(Push().carrying(payload_of(4097))), "413 PayloadTooLarge");
  Push voip = Push().with("apns-push-type", "voip").with("apns-topic", "com.example.app.voip");
  EXPECT_EQ(answer(voip.carrying(payload_of(5120))), "200 ");
  EXPECT_EQ(answer(voip.carrying(payload_of(5121))), "413 PayloadTooLarge");
  EXPECT_EQ(answer(Push().carrying(payload_of(1'000'000))), "413 PayloadTooLarge");
}

TEST_F(Rules, WantAJsonObject) {
  EXPECT_EQ(answer(Push().carrying("")), "400 PayloadEmpty");
  EXPECT_EQ(answer(Push().carrying("{\"aps\":")), "400 PayloadEmpty");
  EXPECT_EQ(answer(Push().carrying("[]")), "400 PayloadEmpty");
  EXPECT_EQ(answer(Push().carrying("{}")), "200 ");
}

TEST_F(Rules, WantADeviceToken) {
  EXPECT_EQ(answer(Push().to("")), "400 MissingDeviceToken");
  EXPECT_EQ(answer(Push().to("xyz!")), "400 BadDeviceToken");
  EXPECT_EQ(answer(Push().to("abc")), "400 BadDeviceToken");
  EXPECT_EQ(answer(Push().to("ffff")), "400 BadDeviceToken");
  EXPECT_EQ(answer(Push().to(kSandboxToken)), "400 BadDeviceToken");
  EXPECT_EQ(answer(Push().to("00AA11BB22CC33DD")), "200 ");
}

TEST_F(Rules, KnowWhoseTokenItIs) {
  EXPECT_EQ(answer(Push().to(kOtherAppToken)), "400 DeviceTokenNotForTopic");
  EXPECT_EQ(answer(Push().to(kOtherAppToken).with("apns-topic", "com.example.other")), "200 ");
}

TEST_F(Rules, TellSinceWhenATokenIsDead) {
  const ApnsVerdict verdict = judge(Push().to(kDeadToken));
  EXPECT_EQ(verdict.status, 410);
  EXPECT_EQ(verdict.reason, "Unregistered");
  EXPECT_EQ(verdict.timestamp, kDeadSince);
}

}  // namespace
}  // namespace notify::simulator
