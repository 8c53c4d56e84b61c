#include "rules/settings_codec.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <span>

namespace notify::rules {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using Json = nlohmann::json;

/// The keys that are ours; apps may keep others beside them.
constexpr std::array<const char*, 7> kQuietHoursKeys = {"enabled", "start", "end",       "timezone",
                                                        "days",    "mode",  "exceptions"};
constexpr std::array<const char*, 3> kPreferencesKeys = {"preview", "types", "group_bursts"};
constexpr const char* kZoneOfNone = "UTC";

constexpr std::size_t kExceptionsMax = 50;
constexpr std::size_t kTypesMax = 100;
constexpr std::size_t kOtherMax = 16'384;

Json parse(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

/// "22:00", and nothing else.
std::optional<std::chrono::minutes> parse_clock(std::string_view text) {
  const auto digit = [text](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
    return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 23 || minute > 59) return std::nullopt;
  return std::chrono::minutes(hour * 60 + minute);
}

/// Takes a field out of an object if it is there and not null. False if it is of another kind.
template <class T>
bool read(const Json& object, const char* key, T& value) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return true;
  const bool fits = std::is_same_v<T, bool>          ? found->is_boolean()
                    : std::is_same_v<T, std::string> ? found->is_string()
                                                     : found->is_array();
  if (!fits) return false;
  if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, std::string>) {
    constexpr bool kNumbers = std::is_same_v<T, std::vector<std::int64_t>>;
    for (const Json& element : *found) {
      if (kNumbers ? !element.is_number_integer() : !element.is_string()) return false;
    }
  }
  value = found->get<T>();
  return true;
}

std::optional<PreviewLevel> preview_in(const Json& object) {
  std::string preview;
  if (!object.is_object() || !read(object, "preview", preview)) return std::nullopt;
  return parse_preview_level(preview);
}

bool group_bursts_in(const Json& object) {
  bool is_on = false;
  if (!object.is_object() || !read(object, "group_bursts", is_on)) return false;
  return is_on;
}

std::map<std::string, bool> types_in(const Json& object) {
  std::map<std::string, bool> types;
  const auto found = object.find("types");
  if (found == object.end() || !found->is_object()) return types;
  for (const auto& [type, is_on] : found->items()) {
    if (is_on.is_boolean()) types.emplace(type, is_on.get<bool>());
  }
  return types;
}

void erase_keys(Json& value, std::span<const char* const> keys) {
  if (!value.is_object()) value = Json::object();
  for (const char* key : keys) value.erase(key);
}

/// An absent key has the default.
template <class T>
void put(Json& object, const char* key, const T& value, const T& unset) {
  if (value == unset) {
    object.erase(key);
  } else {
    object[key] = value;
  }
}

Expected<QuietHoursText> read_quiet_hours(const Json& object) {
  QuietHoursText text;
  const bool readable = object.is_object() && read(object, "enabled", text.enabled) &&
                        read(object, "start", text.start) && read(object, "end", text.end) &&
                        read(object, "timezone", text.timezone) &&
                        read(object, "days", text.days) && read(object, "mode", text.mode) &&
                        read(object, "exceptions", text.exceptions);
  if (!readable) return fail(Errc::corrupt, "quiet hours that are no object, or with an odd field");
  return text;
}

}  // namespace

Violations check(const QuietHoursText& text) {
  Violations violations;
  const auto check_clock = [&](const char* field, const std::string& value) {
    const bool may_lack = value.empty() && !text.enabled;
    if (may_lack || parse_clock(value)) return;
    violations.push_back({field, "must be a time from 00:00 to 23:59, as in \"22:00\""});
  };
  check_clock("start", text.start);
  check_clock("end", text.end);
  if (text.timezone.empty() ? text.enabled : !base::TimeZone::find(text.timezone)) {
    violations.push_back(
        {"timezone", "must be a zone of the IANA database, as in \"Europe/Paris\""});
  }
  for (const std::int64_t day : text.days) {
    if (day >= 1 && day <= 7) continue;
    violations.push_back({"days", "must be from 1 (Monday) to 7 (Sunday)"});
    break;
  }
  if (!parse_quiet_mode(text.mode)) {
    violations.push_back({"mode", "must be \"defer\", \"silent\" or \"drop\""});
  }
  if (text.exceptions.size() > kExceptionsMax) {
    violations.push_back({"exceptions", "has " + std::to_string(text.exceptions.size()) +
                                            " entries; at most 50 are allowed"});
  }
  for (std::size_t i = 0; i < text.exceptions.size(); ++i) {
    if (is_type(text.exceptions[i])) continue;
    violations.push_back({"exceptions[" + std::to_string(i) + "]", kTypeForm});
  }
  return violations;
}

Expected<std::optional<QuietHours>> to_quiet_hours(const QuietHoursText& column) {
  QuietHoursText text = column;
  if (text.timezone.empty()) text.timezone = kZoneOfNone;
  if (!check(text).empty()) return fail(Errc::corrupt, "quiet hours with a wrong field");
  if (!text.enabled) return std::optional<QuietHours>();
  QuietHours hours{*parse_clock(text.start), *parse_clock(text.end),
                   *base::TimeZone::find(text.timezone)};
  if (!text.days.empty()) hours.days = Weekdays();
  for (const std::int64_t day : text.days) hours.days.add(static_cast<int>(day));
  hours.mode = *parse_quiet_mode(text.mode);
  hours.exceptions = text.exceptions;
  return std::optional(std::move(hours));
}

Expected<QuietHoursText> decode_quiet_hours(std::string_view json) {
  return read_quiet_hours(parse(json));
}

std::string encode_quiet_hours(const QuietHoursText& text, std::string_view json_before) {
  Json object = parse(json_before);
  const auto readable = read_quiet_hours(object);
  if (readable && *readable == text) return std::string(json_before);
  if (!readable) erase_keys(object, kQuietHoursKeys);
  const QuietHoursText before = readable.value_or(QuietHoursText());
  const QuietHoursText unset;
  const auto write = [&](const char* key, auto field) {
    if (text.*field != before.*field) put(object, key, text.*field, unset.*field);
  };
  write("enabled", &QuietHoursText::enabled);
  write("start", &QuietHoursText::start);
  write("end", &QuietHoursText::end);
  write("timezone", &QuietHoursText::timezone);
  write("days", &QuietHoursText::days);
  write("mode", &QuietHoursText::mode);
  write("exceptions", &QuietHoursText::exceptions);
  return object.dump();
}

PreferencesText decode_preferences(std::string_view json) {
  Json object = parse(json);
  PreferencesText text;
  if (!object.is_object()) return text;
  const auto preview = preview_in(object);
  if (preview) text.preview = name(*preview);
  text.types = types_in(object);
  text.group_bursts = group_bursts_in(object);
  erase_keys(object, kPreferencesKeys);
  text.other = object.dump();
  return text;
}

std::string encode_preferences(const PreferencesText& text, std::string_view json_before) {
  const PreferencesText before = decode_preferences(json_before);
  if (before == text) return std::string(json_before);
  Json object = parse(json_before);
  if (!object.is_object()) object = Json::object();
  if (text.other != before.other) {
    Json other = parse(text.other);
    for (const char* key : kPreferencesKeys) {
      if (const auto ours = object.find(key); ours != object.end()) other[key] = *ours;
    }
    object = std::move(other);
  }
  const PreferencesText unset;
  const auto write = [&](const char* key, auto field) {
    if (text.*field != before.*field) put(object, key, text.*field, unset.*field);
  };
  write("preview", &PreferencesText::preview);
  write("types", &PreferencesText::types);
  write("group_bursts", &PreferencesText::group_bursts);
  return object.dump();
}

Violations check(const PreferencesText& text) {
  Violations violations;
  if (!text.preview.empty() && !parse_preview_level(text.preview)) {
    violations.push_back({"preview", "must be \"full\", \"sender\" or \"none\""});
  }
  if (text.types.size() > kTypesMax) {
    violations.push_back({"types", "has " + std::to_string(text.types.size()) +
                                       " entries; at most 100 are allowed"});
  }
  for (const auto& [type, is_on] : text.types) {
    if (is_type(type)) continue;
    violations.push_back({"types", std::string("each key ") + kTypeForm});
    break;
  }
  const Json other = parse(text.other);
  for (const char* key : kPreferencesKeys) {
    if (!other.is_object() || !other.contains(key)) continue;
    violations.push_back({"other",
                          "must not hold \"preview\", \"types\" or \"group_bursts\": set "
                          "the field of that name"});
    break;
  }
  if (text.other.size() > kOtherMax) {
    violations.push_back({"other", "is " + std::to_string(text.other.size()) +
                                       " bytes of JSON; at most 16,384 are allowed"});
  }
  return violations;
}

UserSettings to_settings(const UserColumns& columns) {
  UserSettings settings;
  settings.revision = columns.revision;
  settings.notifications_enabled = columns.notifications_enabled;
  settings.sound_enabled = columns.sound_enabled;
  settings.vibration_enabled = columns.vibration_enabled;
  settings.notification_sound = columns.notification_sound;
  if (columns.quiet_hours != "{}") {
    const auto text = decode_quiet_hours(columns.quiet_hours);
    auto hours = text ? to_quiet_hours(*text) : fail(text.error());
    settings.quiet_hours_unreadable = !hours && (!text || text->enabled);
    if (hours) settings.quiet_hours = std::move(*hours);
  }
  if (columns.preferences == "{}") return settings;
  const Json preferences = parse(columns.preferences);
  settings.preview = preview_in(preferences).value_or(PreviewLevel::full);
  for (auto& [type, is_on] : types_in(preferences)) settings.types.emplace(type, is_on);
  settings.group_bursts = group_bursts_in(preferences);
  return settings;
}

ConversationSettings to_settings(const ConversationColumns& columns) {
  ConversationSettings settings;
  settings.revision = columns.revision;
  settings.notifications_enabled = columns.notifications_enabled;
  settings.sound_enabled = columns.sound_enabled;
  settings.level =
      parse_notification_level(columns.notification_level).value_or(NotificationLevel::all);
  settings.muted_until = columns.muted_until;
  if (columns.custom_settings != "{}")
    settings.preview = preview_in(parse(columns.custom_settings));
  return settings;
}

}  // namespace notify::rules
