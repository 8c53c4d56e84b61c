#include "edges/rest/transcode.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/edges_rest/fake_methods.hpp"

namespace notify::edges::rest {
namespace {

namespace pb = notification;
using base::Errc;

const base::UserId kSelf = *base::UserId::parse("018f3c2a-0000-4000-8000-0000000000aa");
constexpr const char* kStranger = "018f3c2a-0000-4000-8000-0000000000bb";

struct TranscodeTest : testing::Test {
  FakeMethods methods;
  RouteTable routes = RouteTable::create(methods.table.methods()).value();

  flows::Answer<std::unique_ptr<Message>> request(const std::string& verb,
                                                  const std::string& target,
                                                  const std::string& body = {},
                                                  const std::string& if_match = {}) const {
    auto parsed = parse_target("/api/v1/notifications" + target);
    const auto match = routes.find(parsed->segments);
    RequestParts parts{match->variables, parsed->query, body, std::nullopt, kSelf};
    if (!if_match.empty()) parts.if_match = if_match;
    return to_request(*match->resource->route(verb), parts);
  }
  template <class Request>
  Request made(const std::string& verb, const std::string& target, const std::string& body = {},
               const std::string& if_match = {}) const {
    const auto answer = request(verb, target, body, if_match);
    if (answer) return static_cast<const Request&>(**answer);
    ADD_FAILURE() << (answer.error().violations.empty()
                          ? answer.error().error.detail
                          : answer.error().violations[0].field + " " +
                                answer.error().violations[0].description);
    return {};
  }
  /// "field: what is wrong" of the first violation, or the error's code.
  std::string refusal(const std::string& verb, const std::string& target,
                      const std::string& body = {}, const std::string& if_match = {}) const {
    const auto answer = request(verb, target, body, if_match);
    if (answer) return "";
    const auto& violations = answer.error().violations;
    if (violations.empty()) return std::string(base::name(answer.error().error.code));
    EXPECT_EQ(answer.error().error.code, Errc::invalid);
    return violations[0].field + ": " + violations[0].description;
  }
  std::vector<std::string> mask(const std::string& body, const std::string& query = {}) const {
    const auto update = made<pb::UpdateUserSettingsRequest>("PATCH", "/settings" + query, body);
    return {update.update_mask().paths().begin(), update.update_mask().paths().end()};
  }
};

using Paths = std::vector<std::string>;

TEST_F(TranscodeTest, TheUserIsThatOfTheToken) {
  EXPECT_EQ(made<pb::GetUserSettingsRequest>("GET", "/settings").user_id(), kSelf.to_string());
  EXPECT_EQ(made<pb::GetUserSettingsRequest>(
                "GET", "/settings?user_id=018F3C2A-0000-4000-8000-0000000000AA")
                .user_id(),
            kSelf.to_string());
  EXPECT_EQ(refusal("GET", std::string("/settings?user_id=") + kStranger), "permission_denied");
  EXPECT_EQ(refusal("GET", "/settings?userId=x"), "permission_denied");
  EXPECT_EQ(refusal("PATCH", "/settings", std::string(R"({"user_id":")") + kStranger + "\"}"),
            "permission_denied");
  EXPECT_EQ(
      refusal("POST", "/conversations/c/mute", std::string(R"({"userId":")") + kStranger + "\"}"),
      "permission_denied");
}

TEST_F(TranscodeTest, PathAndQueryBecomeFields) {
  const auto list = made<pb::ListNotificationsRequest>("GET", "?page_size=7&page_token=a%2Bb");
  EXPECT_EQ(list.page_size(), 7);
  EXPECT_EQ(list.page_token(), "a+b");
  EXPECT_EQ(made<pb::ListNotificationsRequest>("GET", "?pageSize=7").page_size(), 7);
  EXPECT_EQ(made<pb::GetNotificationRequest>("GET", "/abc").notification_id(), "abc");
}

TEST_F(TranscodeTest, AWrongParameterIsNamed) {
  EXPECT_EQ(refusal("GET", "?page_size=x"), "page_size: has a value that its type does not allow");
  EXPECT_EQ(refusal("GET", "?page_size=99999999999"),
            "page_size: has a value that its type does not allow");
  EXPECT_EQ(refusal("GET", "?page_size=1&page_size=2"), "page_size: is given more than once");
  EXPECT_EQ(refusal("GET", "?nothing=1"), "nothing: there is no such parameter");
  EXPECT_EQ(refusal("GET", "?page_size.x=1"), "page_size.x: there is no such parameter");
  EXPECT_EQ(refusal("GET", "/abc?notification_id=b"),
            "notification_id: is not a parameter of the query here");
  EXPECT_EQ(refusal("PATCH", "/settings?settings.revision=1", "{}"),
            "settings.revision: is not a parameter of the query here");
  EXPECT_EQ(refusal("POST", "/conversations/c/mute?muted_until=x", "{}"),
            "muted_until: there is no such parameter");
}

TEST_F(TranscodeTest, ABodyIsOneFieldOrAllThatThePathLeaves) {
  const auto update = made<pb::UpdateUserSettingsRequest>(
      "PATCH", "/settings",
      R"({"sound_enabled":false,"quietHours":{"enabled":true,"days":[1,7]},
          "types":{"call":true},"other":{"a":{"b":[1,null]}},"preview":"PREVIEW_LEVEL_NONE"})");
  EXPECT_TRUE(update.settings().has_sound_enabled());
  EXPECT_FALSE(update.settings().sound_enabled());
  EXPECT_EQ(update.settings().quiet_hours().days_size(), 2);
  EXPECT_TRUE(update.settings().types().at("call"));
  EXPECT_EQ(update.settings().preview(), pb::PREVIEW_LEVEL_NONE);
  EXPECT_EQ(update.settings().other().fields().size(), 1U);

  const auto mute = made<pb::MuteConversationRequest>(
      "POST", "/conversations/c1/mute",
      R"({"muted_until":"2030-01-02T03:04:05.5Z","conversationId":"c2"})");
  EXPECT_EQ(mute.conversation_id(), "c1") << "what the path says counts";
  EXPECT_EQ(mute.user_id(), kSelf.to_string());
  EXPECT_EQ(mute.muted_until().seconds(), 1893553445);
  EXPECT_EQ(mute.muted_until().nanos(), 500'000'000);
  EXPECT_FALSE(
      made<pb::MuteConversationRequest>("POST", "/conversations/c1/mute").has_muted_until());
}

TEST_F(TranscodeTest, AWrongFieldOfTheBodyIsNamed) {
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"sound":true})"),
            "settings.sound: there is no such field");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"quiet_hours":{"begin":"1"}})"),
            "settings.quiet_hours.begin: there is no such field");
  EXPECT_EQ(refusal("POST", "/conversations/c/mute", R"({"until":1})"),
            "until: there is no such field");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"sound_enabled":"loud"})"),
            "settings.sound_enabled: has a value that its type does not allow");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"preview":"LOUD"})"),
            "settings.preview: has a value that its type does not allow");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"updated_at":"yesterday"})"),
            "settings.updated_at: has a value that its type does not allow");
}

TEST_F(TranscodeTest, ABodyThatIsNoObjectIsRefused) {
  EXPECT_EQ(refusal("PATCH", "/settings", "[]"), "body: must be a JSON object");
  EXPECT_EQ(refusal("PATCH", "/settings", "{"), "body: is not valid JSON");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"a":1,"a":1})"),
            "body: has a name twice in one object");
  EXPECT_EQ(refusal("PATCH", "/settings", R"({"other":)" + std::string(9000, '[')),
            "body: is nested too deep");
}

TEST_F(TranscodeTest, AMaskNamesWhatTheBodyHas) {
  EXPECT_EQ(mask(R"({"sound_enabled":false,"quietHours":{"end":"07:00"}})"),
            (Paths{"quiet_hours.end", "sound_enabled"}));
  EXPECT_EQ(mask(R"({"types":{"call":false},"other":{"a":1},"preview":null,"quiet_hours":{}})"),
            (Paths{"other", "preview", "quiet_hours", "types.call"}));
  EXPECT_EQ(mask(R"({"types":{}})"), Paths{"types"});
  EXPECT_EQ(mask("{}"), Paths{});
}

TEST_F(TranscodeTest, WhatABodyCannotChangeIsNotInTheMask) {
  EXPECT_EQ(mask(R"({"user_id":"018f3c2a-0000-4000-8000-0000000000aa","revision":3,
                     "updated_at":"2030-01-02T03:04:05Z","sound_enabled":true})"),
            Paths{"sound_enabled"});
  const auto update = made<pb::UpdateConversationSettingsRequest>(
      "PATCH", "/conversations/c1/settings", R"({"conversation_id":"c1","sound_enabled":true})");
  ASSERT_EQ(update.update_mask().paths_size(), 1);
  EXPECT_EQ(update.update_mask().paths(0), "sound_enabled");
}

TEST_F(TranscodeTest, AMaskThatIsGivenCounts) {
  EXPECT_EQ(mask(R"({"sound_enabled":true})", "?update_mask=preview,quiet_hours.end"),
            (Paths{"preview", "quiet_hours.end"}));
  EXPECT_EQ(mask(R"({"sound_enabled":true})", "?updateMask=quietHours"), Paths{"quiet_hours"});
}

TEST_F(TranscodeTest, IfMatchIsTheRevisionThatWasRead) {
  const auto revision = [this](const std::string& if_match) {
    return made<pb::UpdateUserSettingsRequest>("PATCH", "/settings", R"({"revision":9})", if_match)
        .settings()
        .revision();
  };
  EXPECT_EQ(revision("\"7\""), 7);
  EXPECT_EQ(revision(""), 9);
  EXPECT_EQ(revision("*"), 9);
  for (const char* bad :
       {"7", "\"\"", "\"x\"", "W/\"7\"", "\"7\", \"8\"", "\"0\"", "\"-1\"", "\"99999999999\""}) {
    EXPECT_EQ(refusal("PATCH", "/settings", "{}", bad),
              "If-Match: must be the ETag of an earlier answer")
        << bad;
  }
  EXPECT_EQ(
      made<pb::SetQuietHoursRequest>("PUT", "/settings/quiet-hours", "{}", "\"7\"").revision(), 7);
}

TEST_F(TranscodeTest, AResponseHasItsDefaultsAndTheNamesOfTheProtos) {
  pb::UserSettings settings;
  settings.set_user_id(kSelf.to_string());
  settings.set_sound_enabled(false);
  settings.mutable_updated_at()->set_seconds(1893553445);
  (*settings.mutable_types())["call"] = true;
  EXPECT_EQ(nlohmann::json::parse(to_json(settings).value()),
            nlohmann::json::parse(
                R"({"user_id":"018f3c2a-0000-4000-8000-0000000000aa","sound_enabled":false,)"
                R"("preview":"PREVIEW_LEVEL_UNSPECIFIED","types":{"call":true},"revision":0,)"
                R"("updated_at":"2030-01-02T03:04:05Z"})"));
  settings.mutable_updated_at()->set_seconds(999'999'999'999);
  EXPECT_EQ(to_json(settings), std::nullopt);
}

TEST_F(TranscodeTest, ARevisionIsAnEtag) {
  pb::UserSettings settings;
  EXPECT_EQ(etag_of(settings), std::nullopt);
  settings.set_revision(7);
  EXPECT_EQ(etag_of(settings), "\"7\"");
  EXPECT_EQ(etag_of(pb::Notification()), std::nullopt);
}

TEST_F(TranscodeTest, AnotherUserIsFoundHoweverDeep) {
  pb::ListNotificationsResponse list;
  EXPECT_TRUE(is_only_about(list, kSelf));
  list.add_notifications()->set_user_id(kSelf.to_string());
  EXPECT_TRUE(is_only_about(list, kSelf));
  list.add_notifications()->set_user_id(kStranger);
  EXPECT_FALSE(is_only_about(list, kSelf));
  pb::GetNotificationResponse one;
  one.mutable_notification()->set_user_id("nobody");
  EXPECT_FALSE(is_only_about(one, kSelf));
}

}  // namespace
}  // namespace notify::edges::rest
