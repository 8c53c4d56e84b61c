#include "edges/grpc/preference_messages.hpp"

#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace notify::edges {
namespace {

namespace pb = notification;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::util::MessageDifferencer;
using Json = nlohmann::json;

/// As PostgreSQL writes JSON.
constexpr const char* kHours =
    R"({"end": "07:00", "days": [1, 2], "icon": "moon", "mode": "silent", "start": "22:00", )"
    R"("enabled": true, "timezone": "Europe/Paris", "exceptions": ["call"]})";
constexpr const char* kPreferences =
    R"({"theme": {"big": 12345678901234567}, "types": {"call": false}, "preview": "none", )"
    R"("group_bursts": true})";

/// A user whose every setting is another one than the default.
rules::UserColumns user_columns() {
  return {.revision = 3,
          .notifications_enabled = false,
          .sound_enabled = false,
          .vibration_enabled = false,
          .notification_sound = "bell",
          .quiet_hours = kHours,
          .preferences = kPreferences};
}
rules::ConversationColumns conversation_columns() {
  return {.revision = 3,
          .notifications_enabled = false,
          .sound_enabled = false,
          .notification_level = "none",
          .muted_until = base::WallTime(std::chrono::hours(500'000)),
          .custom_settings = R"({"color": "red", "preview": "sender"})"};
}

/// UserSettings with UserColumns, ConversationSettings with ConversationColumns.
pb::UserSettings shown(const rules::UserColumns& columns) {
  pb::UserSettings settings;
  encode({}, {columns, {}}, settings);
  return settings;
}
pb::ConversationSettings shown(const rules::ConversationColumns& columns) {
  pb::ConversationSettings settings;
  encode({}, {{}, columns, {}}, settings);
  return settings;
}

/// The settings that can be changed: a field that is added to the messages is tested, too.
template <class Settings>
std::vector<const FieldDescriptor*> fields_of() {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < Settings::descriptor()->field_count(); ++i) {
    const FieldDescriptor* field = Settings::descriptor()->field(i);
    const std::string& name = field->name();
    const bool is_read_only = name == "user_id" || name == "conversation_id" ||
                              name == "revision" || name == "updated_at";
    if (!is_read_only) fields.push_back(field);
  }
  return fields;
}

/// Equal but for one field, which `whose` tells.
template <class Settings>
Settings with_field_of(Settings settings, const FieldDescriptor* field, const Settings& whose) {
  FieldMask mask;
  mask.add_paths(field->name());
  google::protobuf::util::FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  google::protobuf::util::FieldMaskUtil::MergeMessageTo(whose, mask, options, &settings);
  return settings;
}

std::size_t keys_in(const std::string& json) { return Json::parse(json).size(); }
std::size_t keys_in(const rules::UserColumns& columns) {
  return keys_in(columns.preferences) + (columns.quiet_hours == "{}" ? 0 : 1);
}
std::size_t keys_in(const rules::ConversationColumns& columns) {
  return keys_in(columns.custom_settings);
}

template <class Settings, class Columns>
void expect_null_is_the_default(const Columns& row) {
  Columns all = row;
  for (const FieldDescriptor* field : fields_of<Settings>()) {
    FieldMask mask;
    mask.add_paths(field->name());
    Columns columns = row;
    EXPECT_TRUE(apply(Settings(), mask, columns).empty()) << field->name();
    const Settings expected = with_field_of(shown(row), field, shown(Columns()));
    EXPECT_TRUE(MessageDifferencer::Equals(shown(columns), expected))
        << field->name() << ": " << shown(columns).ShortDebugString();
    EXPECT_FALSE(columns == row) << field->name() << " has its default in the test's own row";
    EXPECT_TRUE(apply(Settings(), mask, all).empty());
  }
  EXPECT_TRUE(rules::to_settings(all) == rules::to_settings(Columns{.revision = row.revision}));
}

template <class Settings, class Columns>
void expect_only_what_is_named_is_written(const Columns& row) {
  for (const FieldDescriptor* field : fields_of<Settings>()) {
    FieldMask mask;
    mask.add_paths(field->name());
    Columns columns;
    EXPECT_TRUE(apply(shown(row), mask, columns).empty()) << field->name();
    const Settings expected = with_field_of(shown(Columns()), field, shown(row));
    EXPECT_TRUE(MessageDifferencer::Equals(shown(columns), expected))
        << field->name() << ": " << shown(columns).ShortDebugString();
    EXPECT_LE(keys_in(columns), 1U) << field->name();
  }
}

template <class Settings, class Columns>
void expect_an_equal_value_changes_nothing(const Columns& row) {
  Settings same = shown(row);
  same.clear_revision();
  Columns columns = row;
  EXPECT_TRUE(apply(same, {}, columns).empty());
  EXPECT_TRUE(columns == row);
  for (const FieldDescriptor* field : fields_of<Settings>()) {
    FieldMask mask;
    mask.add_paths(field->name());
    EXPECT_TRUE(apply(same, mask, columns).empty());
    EXPECT_TRUE(columns == row) << field->name();
  }
}

TEST(PreferenceMessages, AFieldWithoutAValueGoesBackToItsDefault) {
  expect_null_is_the_default<pb::UserSettings>(user_columns());
  expect_null_is_the_default<pb::ConversationSettings>(conversation_columns());
}

TEST(PreferenceMessages, AFieldThatIsNotNamedIsNotWritten) {
  expect_only_what_is_named_is_written<pb::UserSettings>(user_columns());
  expect_only_what_is_named_is_written<pb::ConversationSettings>(conversation_columns());
}

TEST(PreferenceMessages, AnEqualValueChangesNothing) {
  expect_an_equal_value_changes_nothing<pb::UserSettings>(user_columns());
  expect_an_equal_value_changes_nothing<pb::UserSettings>(rules::UserColumns());
  expect_an_equal_value_changes_nothing<pb::ConversationSettings>(conversation_columns());
  expect_an_equal_value_changes_nothing<pb::ConversationSettings>(rules::ConversationColumns());
}

TEST(PreferenceMessages, QuietHoursThatAreSetAgainChangeNothing) {
  rules::UserColumns columns = user_columns();
  EXPECT_TRUE(apply(shown(columns).quiet_hours(), columns).empty());
  EXPECT_EQ(columns, user_columns());
  rules::UserColumns none;
  EXPECT_TRUE(apply(pb::QuietHours(), none).empty());
  EXPECT_EQ(none, rules::UserColumns());
}

TEST(PreferenceMessages, AFieldOfQuietHoursIsChangedAlone) {
  rules::UserColumns columns = user_columns();
  pb::UserSettings wanted;
  wanted.mutable_quiet_hours()->set_end("06:00");
  FieldMask mask;
  mask.add_paths("quiet_hours.end");
  mask.add_paths("quiet_hours.days");
  ASSERT_TRUE(apply(wanted, mask, columns).empty());
  Json expected = Json::parse(kHours);
  expected["end"] = "06:00";
  expected.erase("days");
  EXPECT_EQ(Json::parse(columns.quiet_hours), expected);
  EXPECT_EQ(columns.preferences, kPreferences);
}

TEST(PreferenceMessages, AnEntryOfAMapIsTakenAway) {
  rules::UserColumns columns = user_columns();
  FieldMask mask;
  mask.add_paths("types.call");
  ASSERT_TRUE(apply(pb::UserSettings(), mask, columns).empty());
  Json expected = Json::parse(kPreferences);
  expected.erase("types");
  EXPECT_EQ(Json::parse(columns.preferences), expected);
}

TEST(PreferenceMessages, HoursThatNobodyCanReadStayUntilTheyAreNamed) {
  rules::UserColumns columns;
  columns.quiet_hours = R"({"enabled": true, "start": 22, "icon": "moon"})";
  const std::string before = columns.quiet_hours;
  pb::UserSettings wanted;
  wanted.set_sound_enabled(false);
  ASSERT_TRUE(apply(wanted, {}, columns).empty());
  EXPECT_EQ(columns.quiet_hours, before);
  FieldMask mask;
  mask.add_paths("quiet_hours");
  ASSERT_TRUE(apply(wanted, mask, columns).empty());
  EXPECT_EQ(Json::parse(columns.quiet_hours), Json({{"icon", "moon"}}));
}

TEST(PreferenceMessages, WhatAppsKeepCannotHoldASettingOfOurs) {
  for (const char* key : {"preview", "types", "group_bursts"}) {
    pb::UserSettings wanted;
    (*wanted.mutable_other()->mutable_fields())[key].set_bool_value(true);
    rules::UserColumns columns;
    const auto violations = apply(wanted, {}, columns);
    ASSERT_EQ(violations.size(), 1U) << key;
    EXPECT_EQ(violations[0].field, "settings.other");
    pb::ConversationSettings of_one;
    *of_one.mutable_other() = wanted.other();
    rules::ConversationColumns conversation;
    EXPECT_EQ(apply(of_one, {}, conversation).size(), 1U) << key;
  }
}

}  // namespace
}  // namespace notify::edges
