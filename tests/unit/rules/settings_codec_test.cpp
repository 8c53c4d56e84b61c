#include "rules/settings_codec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace notify::rules {
namespace {

using Json = nlohmann::json;

constexpr const char* kNight =
    R"({"enabled":true,"start":"22:00","end":"07:00","timezone":"Europe/Paris","days":[1,2,7],)"
    R"("mode":"silent","exceptions":["call"]})";

std::vector<std::string> wrong_fields(const QuietHoursText& text) {
  std::vector<std::string> fields;
  for (const Violation& violation : check(text)) fields.push_back(violation.field);
  return fields;
}

TEST(SettingsCodec, ARowOfDefaultsIsTheDefault) {
  EXPECT_EQ(to_settings(UserColumns()), UserSettings());
  EXPECT_EQ(to_settings(ConversationColumns()), ConversationSettings());
}

TEST(SettingsCodec, ReadsEveryField) {
  UserColumns columns;
  columns.revision = 3;
  columns.sound_enabled = false;
  columns.quiet_hours = kNight;
  columns.preferences = R"({"types":{"reaction":false,"call":true},"preview":"sender","theme":1,)"
                        R"("group_bursts":true})";
  const UserSettings settings = to_settings(columns);
  EXPECT_EQ(settings.revision, 3);
  EXPECT_FALSE(settings.sound_enabled);
  ASSERT_TRUE(settings.quiet_hours);
  EXPECT_EQ(settings.quiet_hours->start, std::chrono::hours(22));
  EXPECT_EQ(settings.quiet_hours->end, std::chrono::hours(7));
  EXPECT_EQ(settings.quiet_hours->zone.name(), "Europe/Paris");
  EXPECT_TRUE(settings.quiet_hours->days.has(7));
  EXPECT_FALSE(settings.quiet_hours->days.has(3));
  EXPECT_EQ(settings.quiet_hours->mode, QuietMode::silent);
  EXPECT_EQ(settings.quiet_hours->exceptions, std::vector<std::string>{"call"});
  EXPECT_EQ(settings.preview, PreviewLevel::sender);
  EXPECT_FALSE(settings.types.at("reaction"));
  EXPECT_TRUE(settings.group_bursts);
}

TEST(SettingsCodec, QuietHoursThatAreNotEnabledAreNone) {
  UserColumns columns;
  columns.quiet_hours = R"({"enabled":false,"start":"22:00","end":"07:00","timezone":"Nowhere"})";
  const UserSettings settings = to_settings(columns);
  EXPECT_FALSE(settings.quiet_hours);
  EXPECT_FALSE(settings.quiet_hours_unreadable);
}

TEST(SettingsCodec, WhoAskedForQuietInAWayNobodyCanReadIsNotTakenForSomebodyWhoDidNot) {
  for (const char* column :
       {R"({"enabled":true,"start":"25:00","end":"07:00","timezone":"UTC"})",
        R"({"enabled":true,"start":"22:00","end":"07:00","timezone":"Mars/Olympus"})",
        R"({"enabled":true,"start":22,"end":"07:00","timezone":"UTC"})", "[]", "{"}) {
    UserColumns columns;
    columns.quiet_hours = column;
    EXPECT_TRUE(to_settings(columns).quiet_hours_unreadable) << column;
  }
}

TEST(SettingsCodec, OddPreferencesCountAsNotSet) {
  for (const char* column : {"[]", "1", R"({"types":[true]})", R"({"types":{"call":"no"}})",
                             R"({"preview":"everything"})"}) {
    UserColumns columns;
    columns.preferences = column;
    EXPECT_EQ(to_settings(columns), UserSettings()) << column;
  }
}

TEST(SettingsCodec, EachWrongFieldOfQuietHoursIsNamed) {
  QuietHoursText text{.enabled = true, .start = "7:00", .end = "24:00", .timezone = "CEST?"};
  text.days = {0};
  text.mode = "later";
  text.exceptions = {"Call"};
  EXPECT_EQ(wrong_fields(text), (std::vector<std::string>{"start", "end", "timezone", "days",
                                                          "mode", "exceptions[0]"}));
}

TEST(SettingsCodec, QuietHoursThatAreNotEnabledMayLackEverything) {
  EXPECT_TRUE(check(QuietHoursText()).empty());
  EXPECT_EQ(wrong_fields({.enabled = true}),
            (std::vector<std::string>{"start", "end", "timezone"}));
}

TEST(SettingsCodec, QuietHoursSurviveARoundTripWithWhatAppsKeepBeside) {
  const auto text = decode_quiet_hours(kNight);
  ASSERT_TRUE(text);
  const std::string json = encode_quiet_hours(*text, R"({"icon":"moon","start":"01:00"})");
  EXPECT_EQ(decode_quiet_hours(json).value(), *text);
  EXPECT_EQ(Json::parse(json)["icon"], "moon");
}

}  // namespace
}  // namespace notify::rules
