#include "edges/cli/what_if.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.hpp"
#include "fakes/manual_clock.hpp"

namespace notify::edges {
namespace {

using Json = nlohmann::json;

/// A Wednesday, 23:30 in Paris.
constexpr const char* kNow = R"("now":"2026-01-14T22:30:00Z")";
constexpr const char* kNight =
    R"("quiet_hours":{"enabled":true,"start":"22:00","end":"07:00","timezone":"Europe/Paris"})";

struct Case {
  std::string parts;
  std::string verdict;
  std::string finding;
  std::string otherwise;
};

const std::string kMute = R"("conversation_settings":{"muted_until":"2026-01-14 23:00:00"})";
const std::string kSilentNight =
    R"("user_settings":{"quiet_hours":{"enabled":true,"start":"22:00","end":"07:00",)"
    R"("timezone":"Europe/Paris","mode":"silent"}})";

/// What is asked, and of the answer how it begins, what the rule found, and what else would be.
const std::vector<Case> kCases = {
    {"", "deliver: it is delivered: no rule objects", "quiet_hours are not enabled", ""},
    {R"("notification":{"status":"cancelled"})", "suppress:", "it was cancelled", "delivered"},
    {R"("notification":{"created_at":"2026-01-14T10:00:00Z"})",
     "suppress:", "expires_at = 2026-01-14T14:00:00.000Z", "delivered"},
    {R"("notification":{"expires_at":"2026-01-14T22:30:00Z"})",
     "suppress:", "expires_at = 2026-01-14T22:30:00.000Z", "delivered"},
    {R"("user_settings":{"notifications_enabled":false})",
     "suppress:", "notifications_enabled = false", "delivered"},
    {R"("user_settings":{"notifications_enabled":false},)" + kMute,
     "suppress:", "notifications_enabled = false", "it would still not be delivered"},
    {R"("user_settings":{"preferences":{"types":{"message":false}}})",
     "suppress:", R"(preferences.types["message"] = false)", "delivered"},
    {R"("user_settings":{"preferences":{"types":{"call":false}}})",
     "deliver:", R"(preferences.types has no "message")", ""},
    {R"("conversation_settings":{"notifications_enabled":false})",
     "suppress:", "conversation.notifications_enabled = false", "delivered"},
    {kMute, "suppress:", "conversation.muted_until = 2026-01-14T23:00:00.000Z", "delivered"},
    {R"("conversation_settings":{"muted_until":"2026-01-14T22:30:00Z"})",
     "deliver:", "conversation.muted_until = 2026-01-14T22:30:00.000Z", ""},
    {std::string(R"("user_settings":{)") + kNight + "}," + kMute,
     "suppress:", "conversation.muted_until", "it would wait until 2026-01-15T06:00:00.000Z"},
    {R"("conversation_settings":{"notification_level":"mentions"})",
     "suppress:", "notification_level = mentions, and it does not mention the user", "delivered"},
    {R"("conversation_settings":{"notification_level":"mentions"},)"
     R"("notification":{"payload":{"mention":true}})",
     "deliver:", "notification_level = mentions, and it mentions the user", ""},
    {R"("conversation_settings":{"notification_level":"none"})",
     "suppress:", "notification_level = none", "delivered"},
    {std::string(R"("user_settings":{)") + kNight + "}", "defer: it waits until",
     "quiet_hours 22:00 to 07:00 Europe/Paris, mode defer, and the clock there shows 23:30",
     "it would be delivered"},
    {kSilentNight, "deliver silently:", "mode silent", "it would be delivered"},
    {R"("user_settings":{"quiet_hours":{"enabled":true,"start":"22:00","end":"07:00",)"
     R"("timezone":"Europe/Paris","exceptions":["message"]}})",
     "deliver:", R"("message" is excepted)", ""},
    {R"("user_settings":{"quiet_hours":{"enabled":true,"start":"22:00","end":"07:00",)"
     R"("timezone":"Europe/Paris","days":[1,2,4,5,6,7]}})",
     "deliver:", "the clock there shows 23:30", ""},
    {R"("user_settings":{"quiet_hours":{"enabled":true,"start":"noon"}})",
     "deliver silently:", "quiet_hours cannot be read", "it would be delivered"},
    {std::string(R"("notification":{"notification_type":"message","conversation_id":)") +
         R"("c0000000-0000-4000-8000-000000000001"},)" +
         R"("user_settings":{"preferences":{"group_bursts":true}})",
     "deliver:", "group_bursts = true, and no burst of its conversation is under way", ""},
    {R"("notification":{"notification_type":"security"},)"
     R"("user_settings":{"notifications_enabled":false})",
     "deliver:", "bypassed  notifications_enabled = false", ""},
};

struct WhatIfTest : testing::Test {
  fakes::ManualClock clock;
  std::size_t wrong = 0;

  std::string told(const std::string& line, bool as_json = false) {
    std::istringstream in(line);
    std::ostringstream out;
    wrong = what_if(in, out, clock, {.as_json = as_json, .types = {.critical = {"security"}}});
    return out.str();
  }
  Json asked(const std::string& line) { return Json::parse(told(line, true)); }
  static std::string line(const std::string& parts) {
    return "{" + parts + (parts.empty() ? "" : ",") + kNow + "}";
  }
};

TEST_F(WhatIfTest, NothingSetMeansDelivered) {
  const Json answer = asked("{}");
  EXPECT_EQ(answer["verdict"], "deliver");
  EXPECT_TRUE(answer["until"].is_null());
  EXPECT_EQ(answer["reasons"].size(), std::size(rules::kRules));
}

TEST_F(WhatIfTest, ADeferralTellsUntilWhen) {
  const Json answer = asked(line(std::string(R"("user_settings":{)") + kNight + "}"));
  EXPECT_EQ(answer["verdict"], "defer");
  EXPECT_EQ(answer["until"], "2026-01-15T06:00:00.000Z");
  EXPECT_EQ(answer["reasons"].back()["rule"], "quiet_hours");
}

TEST_F(WhatIfTest, JsonColumnsMayBeTexts) {
  const Json answer = asked(line(
      R"("user_settings":{"quiet_hours":"{\"enabled\":true,\"start\":\"00:00\",\"end\":\"00:00\",)"
      R"(\"timezone\":\"UTC\",\"mode\":\"drop\"}"})"));
  EXPECT_EQ(answer["verdict"], "suppress");
}

TEST_F(WhatIfTest, TellsInPlainWordsWhichRuleDecidedAndWhatElseWouldBe) {
  for (const Case& one : kCases) {
    const std::string text = told(line(one.parts));
    EXPECT_EQ(text.rfind(one.verdict, 0), 0u) << one.parts << '\n' << text;
    EXPECT_NE(text.find(one.finding), std::string::npos) << one.parts << '\n' << text;
    EXPECT_EQ(text.find("otherwise:") != std::string::npos, !one.otherwise.empty()) << text;
    EXPECT_NE(text.find(one.otherwise), std::string::npos) << one.parts << '\n' << text;
  }
}

TEST_F(WhatIfTest, AWrongLineIsToldAndTheOthersAreAnswered) {
  const std::string out = told("{}\n\n{\"now\":\"later\"}\nno\n{}\n", true);
  EXPECT_EQ(wrong, 2u);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 4);
  EXPECT_NE(out.find(R"({"error":"line 3: now must be a time, as in 2026-11-22T23:54:25Z"})"),
            std::string::npos)
      << out;
  EXPECT_NE(out.find(R"("error":"line 4: it is no JSON object")"), std::string::npos) << out;
}

TEST_F(WhatIfTest, EachWrongColumnIsNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("user_settings":{"notification_enabled":false})",
       "user_settings.notification_enabled is no column"},
      {R"("user_settings":{"sound_enabled":"yes"})",
       "user_settings.sound_enabled must be true or false"},
      {R"("user_settings":{"preferences":"{"})", "user_settings.preferences must be JSON"},
      {R"("user_settings":[])", "user_settings must be an object"},
      {R"("conversation_settings":{"muted_until":"tomorrow"})",
       "conversation_settings.muted_until must be a time"},
      {R"("conversation_settings":{"notification_level":"some"})",
       "conversation_settings.notification_level must be"},
      {R"("notification":{"user_id":"alice"})", "notification.user_id must be a UUID"},
      {R"("settings":{})", R"(\"settings\" is none of)"},
  };
  for (const auto& [parts, what] : cases) {
    EXPECT_NE(told(line(parts)).find(what), std::string::npos) << told(line(parts));
  }
}

}  // namespace
}  // namespace notify::edges
