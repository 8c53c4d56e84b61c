#include "rules/settings_entry.hpp"

#include <simdjson.h>

#include <utility>

#include "base/json_object.hpp"
#include "base/text.hpp"
#include "rules/settings_codec.hpp"

namespace notify::rules {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using simdjson::SUCCESS;
using Element = simdjson::dom::element;

constexpr std::string_view kNothing = "{}";
constexpr std::string_view kUnreadable = R"({"unreadable":true})";
constexpr std::int64_t kVersion = 1;

std::string_view flag(bool value) { return value ? "true" : "false"; }

QuietHoursText to_text(const QuietHours& hours) {
  QuietHoursText text;
  text.enabled = true;
  text.start = clock_text(hours.start);
  text.end = clock_text(hours.end);
  text.timezone = hours.zone.name();
  for (int day = 1; day <= 7; ++day) {
    if (hours.days.has(day)) text.days.push_back(day);
  }
  text.mode = name(hours.mode);
  text.exceptions = hours.exceptions;
  return text;
}

std::string encode_quiet(const UserSettings& user) {
  if (user.quiet_hours_unreadable) return std::string(kUnreadable);
  if (!user.quiet_hours) return std::string(kNothing);
  return encode_quiet_hours(to_text(*user.quiet_hours), kNothing);
}

std::string encode_global(const UserSettings& user) {
  if (user.revision == 0) return std::string(kNothing);
  base::JsonObject types;
  for (const auto& [type, is_on] : user.types) types.raw(type, flag(is_on));
  base::JsonObject object(256);
  object.number("revision", user.revision)
      .raw("notifications_enabled", flag(user.notifications_enabled))
      .raw("sound_enabled", flag(user.sound_enabled))
      .raw("vibration_enabled", flag(user.vibration_enabled))
      .text("notification_sound", user.notification_sound)
      .text("preview", name(user.preview))
      .flag_if_set("group_bursts", user.group_bursts)
      .object("types", std::move(types));
  return std::move(object).finish();
}

base::JsonObject to_json(const ConversationSettings& settings) {
  base::JsonObject object(192);
  object.number("revision", settings.revision)
      .raw("notifications_enabled", flag(settings.notifications_enabled))
      .raw("sound_enabled", flag(settings.sound_enabled))
      .text("notification_level", name(settings.level));
  if (settings.muted_until) object.text("muted_until", base::to_rfc3339(*settings.muted_until));
  if (settings.preview) object.text("preview", name(*settings.preview));
  return object;
}

/// Reads the fields of an object, and remembers whether all were there and of the right kind.
class Fields {
 public:
  explicit Fields(const Element& object) : object_(object) {}

  template <class T>
  T take(std::string_view key) {
    T value{};
    is_good_ = object_[key].get(value) == SUCCESS && is_good_;
    return value;
  }
  std::int32_t revision() { return static_cast<std::int32_t>(take<std::int64_t>("revision")); }
  /// False if the field is not there.
  bool flag_if_set(std::string_view key) {
    bool value = false;
    const auto found = object_[key].get(value);
    is_good_ = is_good_ && (found == SUCCESS || found == simdjson::NO_SUCH_FIELD);
    return value;
  }
  /// Unset if the field is not there.
  template <class Parse>
  auto maybe(std::string_view key, Parse parse) -> decltype(parse(std::string_view())) {
    Element field;
    if (object_[key].get(field) != SUCCESS) return std::nullopt;
    return parsed(key, parse);
  }
  /// Unset, and not good, if it is not there or means nothing.
  template <class Parse>
  auto parsed(std::string_view key, Parse parse) -> decltype(parse(std::string_view())) {
    auto value = parse(take<std::string_view>(key));
    is_good_ = is_good_ && value.has_value();
    return value;
  }
  [[nodiscard]] bool is_good() const { return is_good_; }

 private:
  Element object_;
  bool is_good_ = true;
};

bool read_global(const Element& object, UserSettings& user) {
  Fields fields(object);
  user.revision = fields.revision();
  user.notifications_enabled = fields.take<bool>("notifications_enabled");
  user.sound_enabled = fields.take<bool>("sound_enabled");
  user.vibration_enabled = fields.take<bool>("vibration_enabled");
  user.notification_sound = fields.take<std::string_view>("notification_sound");
  user.preview = fields.parsed("preview", parse_preview_level).value_or(PreviewLevel::none);
  user.group_bursts = fields.flag_if_set("group_bursts");
  const auto types = fields.take<simdjson::dom::object>("types");
  if (!fields.is_good()) return false;
  for (const auto& type : types) {
    bool is_on = false;
    if (type.value.get(is_on) != SUCCESS) return false;
    user.types.emplace(type.key, is_on);
  }
  return true;
}

bool read_conversation(const Element& object, ConversationSettings& settings) {
  Fields fields(object);
  settings.revision = fields.revision();
  settings.notifications_enabled = fields.take<bool>("notifications_enabled");
  settings.sound_enabled = fields.take<bool>("sound_enabled");
  settings.level = fields.parsed("notification_level", parse_notification_level)
                       .value_or(NotificationLevel::none);
  settings.muted_until = fields.maybe("muted_until", base::parse_time);
  settings.preview = fields.maybe("preview", parse_preview_level);
  return fields.is_good();
}

bool read_conversations(const Element& object, SettingsEntry& entry) {
  simdjson::dom::object conversations;
  if (object.get(conversations) != SUCCESS) return false;
  for (const auto& one : conversations) {
    const auto id = base::ConversationId::parse(one.key);
    ConversationSettings settings;
    if (!id || !read_conversation(one.value, settings)) return false;
    entry.conversations.emplace(*id, settings);
  }
  return true;
}

bool read_quiet(std::string_view json, UserSettings& user) {
  if (json == kNothing) return true;
  user.quiet_hours_unreadable = json == kUnreadable;
  if (user.quiet_hours_unreadable) return true;
  const auto text = decode_quiet_hours(json);
  if (!text) return false;
  auto hours = to_quiet_hours(*text);
  if (!hours || !*hours) return false;
  user.quiet_hours = std::move(*hours);
  return true;
}

}  // namespace

std::string encode_last_updated(base::WallTime loaded_at) {
  base::JsonObject object(64);
  object.text("loaded_at", base::to_rfc3339(loaded_at)).number("v", kVersion);
  return std::move(object).finish();
}

SettingsFields encode_settings(const SettingsEntry& entry) {
  base::JsonObject conversations;
  for (const auto& [id, settings] : entry.conversations) {
    conversations.object(id.to_string(), to_json(settings));
  }
  return {encode_global(entry.user), std::move(conversations).finish(), encode_quiet(entry.user),
          encode_last_updated(entry.loaded_at)};
}

Expected<SettingsEntry> decode_settings(const SettingsFields& fields) {
  SettingsEntry entry;
  simdjson::dom::parser parser;
  const auto parse = [&parser](const std::string& json, Element& root) {
    return parser.parse(json).get(root) == SUCCESS;
  };
  Element root;
  if (!parse(fields.last_updated, root)) {
    return fail(Errc::corrupt, "shared settings whose last_updated is not JSON");
  }
  Fields updated(root);
  const auto loaded_at = updated.parsed("loaded_at", base::parse_time);
  if (updated.take<std::int64_t>("v") != kVersion || !updated.is_good()) {
    return fail(Errc::corrupt, "shared settings of another version");
  }
  entry.loaded_at = *loaded_at;
  const bool has_row = fields.global_settings != kNothing;
  if (has_row && !(parse(fields.global_settings, root) && read_global(root, entry.user))) {
    return fail(Errc::corrupt, "shared settings whose global_settings are odd");
  }
  const bool has_conversations = fields.conversation_settings != kNothing;
  if (has_conversations &&
      !(parse(fields.conversation_settings, root) && read_conversations(root, entry))) {
    return fail(Errc::corrupt, "shared settings whose conversation_settings are odd");
  }
  if (!read_quiet(fields.quiet_hours, entry.user)) {
    return fail(Errc::corrupt, "shared settings whose quiet_hours are odd");
  }
  return entry;
}

}  // namespace notify::rules
