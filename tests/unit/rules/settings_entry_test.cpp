#include "rules/settings_entry.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace notify::rules {
namespace {

const base::WallTime kAt = base::parse_time("2026-11-23T19:12:22.345Z").value();
const auto kConversation =
    base::ConversationId::parse("c0000000-0000-4000-8000-000000000001").value();
const auto kOther = base::ConversationId::parse("c0000000-0000-4000-8000-000000000002").value();

SettingsEntry full() {
  SettingsEntry entry;
  entry.loaded_at = kAt;
  entry.user.revision = 7;
  entry.user.sound_enabled = false;
  entry.user.notification_sound = "b\"ell";
  entry.user.preview = PreviewLevel::sender;
  entry.user.types = {{"call", true}, {"reaction", false}};
  entry.user.group_bursts = true;
  entry.user.quiet_hours = QuietHours{std::chrono::hours(22), std::chrono::minutes(7 * 60 + 5),
                                      base::TimeZone::find("Europe/Paris").value()};
  entry.user.quiet_hours->mode = QuietMode::drop;
  entry.user.quiet_hours->exceptions = {"call"};
  entry.conversations[kConversation] = {.revision = 2,
                                        .sound_enabled = false,
                                        .level = NotificationLevel::mentions,
                                        .muted_until = kAt,
                                        .preview = PreviewLevel::none};
  entry.conversations[kOther] = {.revision = 1, .notifications_enabled = false};
  return entry;
}

TEST(SettingsEntry, WhatIsEncodedIsDecodedToTheSame) {
  SettingsEntry nothing;
  nothing.loaded_at = kAt;
  SettingsEntry some_days = full();
  some_days.user.quiet_hours->days = Weekdays();
  some_days.user.quiet_hours->days.add(6);
  SettingsEntry unreadable = full();
  unreadable.user.quiet_hours.reset();
  unreadable.user.quiet_hours_unreadable = true;
  for (const SettingsEntry& entry : {nothing, full(), some_days, unreadable}) {
    const SettingsFields fields = encode_settings(entry);
    const auto decoded = decode_settings(fields);
    ASSERT_TRUE(decoded) << decoded.error().detail << " " << fields.global_settings;
    EXPECT_EQ(*decoded, entry) << fields.global_settings << fields.quiet_hours;
  }
}

TEST(SettingsEntry, WhoHasSetNothingTakesFewBytes) {
  SettingsEntry nothing;
  nothing.loaded_at = kAt;
  EXPECT_EQ(
      encode_settings(nothing),
      (SettingsFields{"{}", "{}", "{}", R"({"loaded_at":"2026-11-23T19:12:22.345Z","v":1})"}));
}

TEST(SettingsEntry, LaterOnesSortBehindEarlierOnes) {
  using namespace std::chrono_literals;
  for (const auto later : {1ms, 10ms, 1000ms, 60'000ms, 86'400'000ms}) {
    EXPECT_LT(encode_last_updated(kAt), encode_last_updated(kAt + later));
  }
}

TEST(SettingsEntry, WhatIsOddIsNotTakenForSettings) {
  const SettingsFields good = encode_settings(full());
  const auto with = [&good](std::string SettingsFields::*field, std::string value) {
    SettingsFields odd = good;
    odd.*field = std::move(value);
    return odd;
  };
  std::string no_preview = good.global_settings;
  no_preview.replace(no_preview.find("sender"), 6, "loudly");
  for (const SettingsFields& odd :
       {with(&SettingsFields::global_settings, ""), with(&SettingsFields::global_settings, "[]"),
        with(&SettingsFields::global_settings, R"({"revision":1})"),
        with(&SettingsFields::global_settings, no_preview),
        with(&SettingsFields::conversation_settings, ""),
        with(&SettingsFields::conversation_settings, R"({"x":{}})"),
        with(&SettingsFields::conversation_settings, R"({")" + kOther.to_string() + R"(":{}})"),
        with(&SettingsFields::quiet_hours, ""),
        with(&SettingsFields::quiet_hours, R"({"enabled":true})"),
        with(&SettingsFields::quiet_hours, R"({"enabled":false})"),
        with(&SettingsFields::last_updated, ""),
        with(&SettingsFields::last_updated, R"({"loaded_at":"soon","v":1})"),
        with(&SettingsFields::last_updated, R"({"loaded_at":"2026-11-23T19:12:22.345Z","v":2})")}) {
    const auto decoded = decode_settings(odd);
    ASSERT_FALSE(decoded) << odd.global_settings << odd.conversation_settings << odd.quiet_hours
                          << odd.last_updated;
    EXPECT_EQ(decoded.error().code, base::Errc::corrupt);
  }
}

}  // namespace
}  // namespace notify::rules
