#include "rules/validation.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fakes/samples.hpp"
#include "rules/apns.hpp"

namespace notify::rules {
namespace {

const base::WallTime kNow(std::chrono::milliseconds(1'790'000'000'000));
const base::NotificationId kId = fakes::sample_notification(kNow).id;

SendRequest good() {
  SendRequest request;
  request.user_id = "a11ce000-0000-4000-8000-000000000001";
  request.type = "message";
  request.title = "Dora";
  request.body = "Are you coming?";
  return request;
}

std::vector<std::string> fields_of(const SendRequest& request) {
  const auto result = validate(request, kId, {});
  std::vector<std::string> fields;
  if (const auto* violations = std::get_if<Violations>(&result)) {
    for (const Violation& violation : *violations) fields.push_back(violation.field);
  }
  return fields;
}

using Fields = std::vector<std::string>;

TEST(Validate, AGoodRequestBecomesANotification) {
  SendRequest request = good();
  request.priority = 1;
  request.data = {{"key", "value"}};
  const auto result = validate(request, kId, {});
  const auto& n = std::get<Notification>(result);
  EXPECT_EQ(n.id, kId);
  EXPECT_EQ(n.priority, Priority::high);
  EXPECT_EQ(n.presentation.data.at("key"), "value");
  EXPECT_EQ(n.expires_at, kNow + std::chrono::hours(4));
}

TEST(Validate, EveryTypeIsWorthItsOwnTime) {
  SendRequest request = good();
  request.type = "call";
  EXPECT_EQ(std::get<Notification>(validate(request, kId, {})).expires_at,
            kNow + std::chrono::seconds(45));
  request.type = "group";
  EXPECT_EQ(std::get<Notification>(validate(request, kId, {})).expires_at,
            kNow + std::chrono::hours(24));
}

TEST(Validate, WhatIsScheduledLivesFromItsTimeOn) {
  SendRequest request = good();
  const base::WallTime at = kNow + std::chrono::days(3);
  request.deliver_at = at.time_since_epoch();
  const auto n = std::get<Notification>(validate(request, kId, {}));
  EXPECT_EQ(n.deliver_at, at);
  EXPECT_EQ(n.begins_at(), at);
  EXPECT_EQ(n.expires_at, at + std::chrono::hours(4));
  request.expires_at = (at + std::chrono::days(28)).time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{});
  request.expires_at = (at + std::chrono::days(29)).time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{"expires_at"});
  request.expires_at = at.time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{"expires_at"});
}

TEST(Validate, ATimeThatHasPassedMeansAtOnce) {
  SendRequest request = good();
  for (const auto ago : {std::chrono::hours(0), std::chrono::hours(300)}) {
    request.deliver_at = (kNow - ago).time_since_epoch();
    const auto n = std::get<Notification>(validate(request, kId, {}));
    EXPECT_FALSE(n.deliver_at);
    EXPECT_EQ(n.expires_at, kNow + std::chrono::hours(4));
  }
}

TEST(Validate, NothingIsScheduledForLaterThan28Days) {
  SendRequest request = good();
  request.deliver_at = (kNow + std::chrono::days(28)).time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{});
  *request.deliver_at += std::chrono::milliseconds(1);
  EXPECT_EQ(fields_of(request), Fields{"deliver_at"});
  request.deliver_at.reset();
  request.deliver_at_malformed = true;
  EXPECT_EQ(fields_of(request), Fields{"deliver_at"});
}

TEST(Validate, NamesEveryWrongFieldAtOnce) {
  SendRequest request;
  request.user_id = "alice";
  request.conversation_id = "1234";
  request.message_id = "x";
  request.type = "Message!";
  request.priority = 9;
  EXPECT_EQ(fields_of(request),
            (Fields{"user_id", "conversation_id", "message_id", "type", "title", "priority"}));
}

TEST(Validate, TextsMustBeReadable) {
  SendRequest request = good();
  request.title = std::string_view("a\0b", 3);
  request.body = "\xFF\xFE";
  request.sound = "a\nb";
  EXPECT_EQ(fields_of(request), (Fields{"title", "body", "sound"}));
}

TEST(Validate, TheTitleIsCountedInCharactersAndTheBodyInBytes) {
  std::string title;
  for (int i = 0; i < 255; ++i) title += "é";
  SendRequest request = good();
  request.title = title;
  EXPECT_EQ(fields_of(request), Fields{});
  title += "é";
  request.title = title;
  EXPECT_EQ(fields_of(request), Fields{"title"});
  request = good();
  const std::string body(2049, 'x');
  request.body = body;
  EXPECT_EQ(fields_of(request), Fields{"body"});
}

TEST(Validate, AThousandDataFieldsAreOneViolation) {
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("k" + std::to_string(i));
  SendRequest request = good();
  for (const std::string& key : keys) request.data.emplace_back(key, "v");
  EXPECT_EQ(fields_of(request), Fields{"data"});
}

TEST(Validate, DataKeysAreCheckedAndNamed) {
  SendRequest request = good();
  request.data = {{"", "v"}, {"aps", "v"}, {"from", "v"}, {"ok", "\xC0"}, {"sp ace", "v"}};
  EXPECT_EQ(fields_of(request),
            (Fields{"data[entry 1 by key order]", "data[\"aps\"]", "data[\"from\"]", "data[\"ok\"]",
                    "data[entry 5 by key order]"}));
}

TEST(Validate, WhatAppleWouldRefuseForItsSizeIsRefusedHere) {
  const std::string value(2048, 'x');
  SendRequest request = good();
  request.data = {{"a", value}, {"b", value}};
  EXPECT_EQ(fields_of(request), Fields{"data"});
  request.data = {{"a", value}, {"b", std::string_view(value).substr(0, 1300)}};
  EXPECT_EQ(fields_of(request), Fields{});
}

TEST(Validate, TheExpiryMustLieAhead) {
  SendRequest request = good();
  request.expires_at = kNow.time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{"expires_at"});
  request.expires_at = (kNow + std::chrono::days(29)).time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{"expires_at"});
  request.expires_at = (kNow + std::chrono::days(27)).time_since_epoch();
  EXPECT_EQ(fields_of(request), Fields{});
}

TEST(Validate, ABackgroundNotificationShowsNothing) {
  SendRequest request = good();
  request.background = true;
  request.sound = "default";
  request.badge = 1;
  EXPECT_EQ(fields_of(request), (Fields{"title", "body", "sound", "badge"}));
  request = good();
  request.title = request.body = "";
  request.background = true;
  EXPECT_EQ(fields_of(request), Fields{});
}

TEST(Validate, BadgeLabelsAndShortTextsHaveLimits) {
  const std::string long_text(65, 'x');
  SendRequest request = good();
  request.badge = -1;
  request.collapse_id = long_text;
  request.category = long_text;
  request.labels = {{"campaign", ""}};
  EXPECT_EQ(fields_of(request),
            (Fields{"badge", "collapse_id", "category", "labels[\"campaign\"]"}));
}

TEST(Validate, ATitleOfWhichNothingCanBeSeenIsNone) {
  SendRequest request = good();
  for (const char* title : {"", " ", "\n\t ", "\u00A0\u3000", "\u200B\u200D\uFEFF", "\u2800",
                            "\u3164", "\u202E\u2066", "\u00AD", "\U000E0041"}) {
    request.title = title;
    EXPECT_EQ(fields_of(request), Fields{"title"}) << title;
  }
  for (const char* title : {"a", " a ", "\u200Fא", "👩\u200D👧", "。"}) {
    request.title = title;
    EXPECT_EQ(fields_of(request), Fields{}) << title;
  }
}

TEST(Validate, ATemplateWhoseTitleShowsNothingIsRefusedToo) {
  SendRequest request = good();
  request.title = request.body = "";
  request.template_use = TemplateUse{};
  const RenderResult rendered = Rendering{{" \u200B", "body", "", ""}, "message", {}};
  const auto result = validate(request, kId, {}, &rendered);
  EXPECT_EQ(std::get<Violations>(result).at(0).field, "template.variables");
}

/// RFC 9113 §8.2.1: what else is in a header makes the request malformed.
TEST(Validate, ACollapseIdIsFitForAHeader) {
  SendRequest request = good();
  for (const char* id : {" a", "a ", " ", "\u00A0a", "é", "a\u2003b", "a\tb", "a\nb", "\x7F"}) {
    request.collapse_id = id;
    EXPECT_EQ(fields_of(request), Fields{"collapse_id"}) << id;
  }
  for (const char* id : {"", "a", "chat 42", "!~", "a:b"}) {
    request.collapse_id = id;
    EXPECT_EQ(fields_of(request), Fields{}) << id;
  }
}

TEST(Validate, DataHasNoKeyThatThePayloadHas) {
  SendRequest visible = good();
  visible.sound = "default";
  visible.conversation_id = "c0000000-0000-4000-8000-000000000001";
  SendRequest background = good();
  background.title = background.body = "";
  background.background = true;
  Style hidden;
  hidden.is_silent = true;
  hidden.preview = PreviewLevel::none;
  for (const SendRequest& request : {visible, background}) {
    const auto n = std::get<Notification>(validate(request, kId, {}));
    for (const Style& style : {Style(), hidden}) {
      const auto payload = nlohmann::json::parse(apns_payload(n, style, {}));
      for (const auto& [key, value] : payload.items()) {
        SendRequest other = request;
        other.data = {{key, "mine"}};
        EXPECT_EQ(fields_of(other), Fields{"data[\"" + key + "\"]"});
      }
    }
  }
}

TEST(Validate, KeysThatFcmKeepsForItselfAreRefused) {
  for (const char* key : {"from", "message_type", "collapse_key", "google.message_id",
                          "gcm.notification.title", "googleX", "gcm"}) {
    SendRequest request = good();
    request.data = {{key, "v"}};
    EXPECT_EQ(fields_of(request), Fields{"data[\"" + std::string(key) + "\"]"}) << key;
  }
}

TEST(Validate, NoDescriptionQuotesWhatTheUserWrote) {
  SendRequest request = good();
  request.title = "secret\x01";
  request.data = {{"key", "hidden\x02"}};
  const auto result = validate(request, kId, {});
  for (const Violation& violation : std::get<Violations>(result)) {
    EXPECT_EQ(violation.description.find("secret"), std::string::npos);
    EXPECT_EQ(violation.description.find("hidden"), std::string::npos);
  }
}

}  // namespace
}  // namespace notify::rules
