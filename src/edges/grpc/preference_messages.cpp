#include "edges/grpc/preference_messages.hpp"

#include <google/protobuf/util/field_mask_util.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "edges/grpc/wire.hpp"
#include "net/grpc/timestamp.hpp"
#include "rules/style.hpp"

namespace notify::edges {
namespace {

namespace pb = notification;
using google::protobuf::FieldMask;
using google::protobuf::util::FieldMaskUtil;
using google::protobuf::util::MessageDifferencer;
using rules::Violation;
using rules::Violations;

pb::PreviewLevel to_pb(const std::string& preview, pb::PreviewLevel if_not_set) {
  const auto level = rules::parse_preview_level(preview);
  if (!level) return if_not_set;
  return static_cast<pb::PreviewLevel>(*level);
}

/// Empty for UNSPECIFIED; check() refuses what is none of them.
std::string preview_text(int preview) {
  if (preview == pb::PREVIEW_LEVEL_UNSPECIFIED) return "";
  if (!pb::PreviewLevel_IsValid(preview)) return "unknown";
  return std::string(rules::name(static_cast<rules::PreviewLevel>(preview)));
}

void encode(const rules::QuietHoursText& text, pb::QuietHours& to) {
  to.set_enabled(text.enabled);
  to.set_start(text.start);
  to.set_end(text.end);
  to.set_timezone(text.timezone);
  for (const std::int64_t day : text.days) to.add_days(static_cast<std::int32_t>(day));
  const auto mode = rules::parse_quiet_mode(text.mode).value_or(rules::QuietMode::defer);
  to.set_mode(static_cast<pb::QuietHoursMode>(mode));
  for (const std::string& type : text.exceptions) to.add_exceptions(type);
}

rules::QuietHoursText to_text(const pb::QuietHours& from) {
  rules::QuietHoursText text;
  text.enabled = from.enabled();
  text.start = from.start();
  text.end = from.end();
  text.timezone = from.timezone();
  text.days.assign(from.days().begin(), from.days().end());
  if (!pb::QuietHoursMode_IsValid(from.mode())) {
    text.mode = "unknown";
  } else if (from.mode() != pb::QUIET_HOURS_MODE_UNSPECIFIED) {
    text.mode = rules::name(static_cast<rules::QuietMode>(from.mode()));
  }
  text.exceptions.assign(from.exceptions().begin(), from.exceptions().end());
  return text;
}

void encode_other(const std::string& json, google::protobuf::Struct& to) {
  // What PostgreSQL keeps as JSON is JSON, if not always what protobuf can hold: then it is not
  // shown, and not touched.
  if (!google::protobuf::util::JsonStringToMessage(json, &to).ok()) to.Clear();
}

/// A Struct's numbers are doubles: what is not changed stays as it is written in the row.
std::string other_json(const google::protobuf::Struct& wanted, const std::string& before) {
  google::protobuf::Struct unchanged;
  encode_other(before, unchanged);
  if (MessageDifferencer::Equals(wanted, unchanged)) return before;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(wanted, &json).ok()) return before;
  return json;
}

void add(Violations& violations, const std::string& prefix, Violations more) {
  for (Violation& violation : more) {
    violations.push_back({prefix + violation.field, std::move(violation.description)});
  }
}

/// All that is set; entries of a map go one by one.
template <class Message>
FieldMask fields_of(const Message& wanted) {
  FieldMask fields;
  std::vector<const google::protobuf::FieldDescriptor*> set;
  wanted.GetReflection()->ListFields(wanted, &set);
  for (const auto* field : set) {
    if (!field->is_map()) fields.add_paths(field->name());
  }
  return fields;
}

/// The wanted fields over those that are there. False if the mask names none of them.
template <class Message>
bool merge(const Message& wanted, const FieldMask& fields, Message& there) {
  if (!FieldMaskUtil::IsValidFieldMask<Message>(fields)) return false;
  FieldMaskUtil::MergeOptions options;
  options.set_replace_message_fields(true);
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(wanted, fields, options, &there);
  return true;
}

/// Whether a path of the mask is this field or leads into it.
bool names(const FieldMask& fields, std::string_view field) {
  return std::any_of(fields.paths().begin(), fields.paths().end(),
                     [field](const std::string& path) {
                       return path.starts_with(field) &&
                              (path.size() == field.size() || path[field.size()] == '.');
                     });
}

/// A field that the change leaves without a value goes back to its default.
template <class T>
T value_or(bool is_set, const T& value, const T& unset) {
  return is_set ? value : unset;
}

const Violation kBadMask{"update_mask", "names a field that the settings do not have"};

/// "types.call" in a mask is one entry of the map, which FieldMaskUtil does not know. Returns the
/// fields that are left to merge.
FieldMask merge_types(const pb::UserSettings& wanted, const FieldMask& mask,
                      pb::UserSettings& there) {
  constexpr std::string_view kEntry = "types.";
  if (mask.paths().empty()) {
    for (const auto& [type, is_on] : wanted.types()) (*there.mutable_types())[type] = is_on;
    return fields_of(wanted);
  }
  FieldMask rest;
  for (const std::string& path : mask.paths()) {
    if (!std::string_view(path).starts_with(kEntry)) {
      rest.add_paths(path);
      continue;
    }
    const std::string type = path.substr(kEntry.size());
    const auto found = wanted.types().find(type);
    if (found == wanted.types().end()) {
      there.mutable_types()->erase(type);
    } else {
      (*there.mutable_types())[type] = found->second;
    }
  }
  return rest;
}

/// The preview level of a user who has set none.
const std::string kPreviewOfNone(rules::name(rules::PreviewLevel::full));

Violations check_sound(const std::string& sound) {
  if (sound.size() > rules::kSoundMax || !base::utf8_length(sound) ||
      base::find_control_character(sound)) {
    return {{"settings.notification_sound",
             "must be at most 100 bytes of UTF-8 without control characters"}};
  }
  return {};
}

}  // namespace

void encode(base::UserId user, const stores::UserRow& row, pb::UserSettings& to) {
  const rules::UserColumns& columns = row.columns;
  to.set_user_id(user.to_string());
  to.set_notifications_enabled(columns.notifications_enabled);
  to.set_sound_enabled(columns.sound_enabled);
  to.set_vibration_enabled(columns.vibration_enabled);
  to.set_notification_sound(columns.notification_sound);
  const auto quiet_hours = rules::decode_quiet_hours(columns.quiet_hours);
  if (quiet_hours && *quiet_hours != rules::QuietHoursText()) {
    encode(*quiet_hours, *to.mutable_quiet_hours());
  }
  const auto preferences = rules::decode_preferences(columns.preferences);
  to.set_preview(to_pb(preferences.preview, pb::PREVIEW_LEVEL_FULL));
  for (const auto& [type, is_on] : preferences.types) (*to.mutable_types())[type] = is_on;
  to.set_group_bursts(preferences.group_bursts);
  encode_other(preferences.other, *to.mutable_other());
  to.set_revision(columns.revision);
  if (row.updated_at) net::set(to.mutable_updated_at(), *row.updated_at);
}

void encode(base::UserId user, const stores::ConversationRow& row, pb::ConversationSettings& to) {
  const rules::ConversationColumns& columns = row.columns;
  to.set_user_id(user.to_string());
  to.set_conversation_id(row.conversation.to_string());
  to.set_notifications_enabled(columns.notifications_enabled);
  to.set_sound_enabled(columns.sound_enabled);
  const auto level = rules::parse_notification_level(columns.notification_level);
  to.set_notification_level(
      static_cast<pb::NotificationLevel>(level.value_or(rules::NotificationLevel::all)));
  if (columns.muted_until) net::set(to.mutable_muted_until(), *columns.muted_until);
  const auto custom = rules::decode_preferences(columns.custom_settings);
  to.set_preview(to_pb(custom.preview, pb::PREVIEW_LEVEL_UNSPECIFIED));
  encode_other(custom.other, *to.mutable_other());
  to.set_revision(columns.revision);
  if (row.updated_at) net::set(to.mutable_updated_at(), *row.updated_at);
}

Violations apply(const pb::UserSettings& wanted, const FieldMask& mask,
                 rules::UserColumns& columns) {
  pb::UserSettings settings;
  encode({}, {columns, {}}, settings);
  const auto before = rules::decode_preferences(columns.preferences);
  const FieldMask fields = merge_types(wanted, mask, settings);
  if (!merge(wanted, fields, settings)) return {kBadMask};

  rules::PreferencesText preferences{.preview = preview_text(settings.preview()),
                                     .types = {settings.types().begin(), settings.types().end()},
                                     .group_bursts = settings.group_bursts(),
                                     .other = other_json(settings.other(), before.other)};
  // A user who has set no preview level has this one.
  if (before.preview.empty() && preferences.preview == kPreviewOfNone) preferences.preview.clear();
  const rules::QuietHoursText quiet_hours = to_text(settings.quiet_hours());
  const bool names_quiet_hours = names(fields, "quiet_hours");
  const rules::UserColumns unset;
  const std::string sound = value_or(settings.has_notification_sound(),
                                     settings.notification_sound(), unset.notification_sound);
  Violations violations = check_sound(sound);
  if (names_quiet_hours) add(violations, "settings.quiet_hours.", rules::check(quiet_hours));
  if (preferences != before) add(violations, "settings.", rules::check(preferences));
  if (!violations.empty()) return violations;

  columns.notifications_enabled =
      value_or(settings.has_notifications_enabled(), settings.notifications_enabled(),
               unset.notifications_enabled);
  columns.sound_enabled =
      value_or(settings.has_sound_enabled(), settings.sound_enabled(), unset.sound_enabled);
  columns.vibration_enabled = value_or(settings.has_vibration_enabled(),
                                       settings.vibration_enabled(), unset.vibration_enabled);
  columns.notification_sound = sound;
  if (names_quiet_hours) {
    columns.quiet_hours = rules::encode_quiet_hours(quiet_hours, columns.quiet_hours);
  }
  columns.preferences = rules::encode_preferences(preferences, columns.preferences);
  return {};
}

Violations apply(const pb::ConversationSettings& wanted, const FieldMask& mask,
                 rules::ConversationColumns& columns) {
  pb::ConversationSettings settings;
  encode({}, {{}, columns, {}}, settings);
  const FieldMask fields = mask.paths().empty() ? fields_of(wanted) : mask;
  if (!merge(wanted, fields, settings)) return {kBadMask};

  const auto before = rules::decode_preferences(columns.custom_settings);
  const rules::PreferencesText custom{.preview = preview_text(settings.preview()),
                                      .types = before.types,
                                      .group_bursts = before.group_bursts,
                                      .other = other_json(settings.other(), before.other)};
  Violations violations;
  if (custom != before) add(violations, "settings.", rules::check(custom));
  const int level = settings.notification_level();
  if (!pb::NotificationLevel_IsValid(level)) {
    violations.push_back({"settings.notification_level", "is none of the levels there are"});
  }
  if (settings.has_muted_until() && !is_valid(settings.muted_until())) {
    violations.push_back({"settings.muted_until", "must be a time from 1970 to 9999"});
  }
  if (!violations.empty()) return violations;

  const rules::ConversationColumns unset;
  columns.notifications_enabled =
      value_or(settings.has_notifications_enabled(), settings.notifications_enabled(),
               unset.notifications_enabled);
  columns.sound_enabled =
      value_or(settings.has_sound_enabled(), settings.sound_enabled(), unset.sound_enabled);
  columns.notification_level = level == pb::NOTIFICATION_LEVEL_UNSPECIFIED
                                   ? unset.notification_level
                                   : rules::name(static_cast<rules::NotificationLevel>(level));
  columns.muted_until.reset();
  if (settings.has_muted_until()) columns.muted_until = net::to_wall_time(settings.muted_until());
  columns.custom_settings = rules::encode_preferences(custom, columns.custom_settings);
  return {};
}

Violations apply(const pb::QuietHours& wanted, rules::UserColumns& columns) {
  const rules::QuietHoursText text = to_text(wanted);
  Violations violations;
  add(violations, "quiet_hours.", rules::check(text));
  if (violations.empty()) {
    columns.quiet_hours = rules::encode_quiet_hours(text, columns.quiet_hours);
  }
  return violations;
}

}  // namespace notify::edges
