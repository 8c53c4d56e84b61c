#include "push-simulator/fcm_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace notify::simulator {
namespace {

using simdjson::SUCCESS;
using Element = simdjson::dom::element;
using Type = simdjson::dom::element_type;

enum class Kind : std::uint8_t {
  text,
  flag,
  integer,
  number,
  duration,
  choice,
  text_map,
  text_list,
  any_object,
  object,
};

struct Field {
  std::string_view name;
  Kind kind = Kind::text;
  std::span<const Field> fields{};              ///< of an object
  std::span<const std::string_view> choices{};  ///< of a choice
};

using enum Kind;

constexpr std::array<std::string_view, 2> kPriorities = {"NORMAL", "HIGH"};
constexpr std::array<std::string_view, 6> kNotificationPriorities = {
    "PRIORITY_UNSPECIFIED", "PRIORITY_MIN",  "PRIORITY_LOW",
    "PRIORITY_DEFAULT",     "PRIORITY_HIGH", "PRIORITY_MAX"};
constexpr std::array<std::string_view, 4> kVisibilities = {"VISIBILITY_UNSPECIFIED", "PRIVATE",
                                                           "PUBLIC", "SECRET"};
constexpr std::array<std::string_view, 4> kProxies = {"PROXY_UNSPECIFIED", "ALLOW", "DENY",
                                                      "IF_PRIORITY_LOWERED"};

constexpr std::array kOptions = {Field{"analytics_label"}};
constexpr std::array kApnsOptions = {Field{"analytics_label"}, Field{"image"}};
constexpr std::array kWebpushOptions = {Field{"analytics_label"}, Field{"link"}};
constexpr std::array kNotification = {Field{"title"}, Field{"body"}, Field{"image"}};
constexpr std::array kColor = {Field{"red", number}, Field{"green", number}, Field{"blue", number},
                               Field{"alpha", number}};
constexpr std::array kLight = {Field{"color", object, kColor}, Field{"light_on_duration", duration},
                               Field{"light_off_duration", duration}};
constexpr std::array kAndroidNotification = {
    Field{"title"},
    Field{"body"},
    Field{"icon"},
    Field{"color"},
    Field{"sound"},
    Field{"tag"},
    Field{"click_action"},
    Field{"body_loc_key"},
    Field{"body_loc_args", text_list},
    Field{"title_loc_key"},
    Field{"title_loc_args", text_list},
    Field{"channel_id"},
    Field{"ticker"},
    Field{"sticky", flag},
    Field{"event_time"},
    Field{"local_only", flag},
    Field{"notification_priority", choice, {}, kNotificationPriorities},
    Field{"default_sound", flag},
    Field{"default_vibrate_timings", flag},
    Field{"default_light_settings", flag},
    Field{"vibrate_timings", text_list},
    Field{"visibility", choice, {}, kVisibilities},
    Field{"notification_count", integer},
    Field{"light_settings", object, kLight},
    Field{"image"},
    Field{"proxy", choice, {}, kProxies},
    Field{"bypass_proxy_notification", flag},
};
constexpr std::array kAndroid = {
    Field{"collapse_key"},
    Field{"priority", choice, {}, kPriorities},
    Field{"ttl", duration},
    Field{"restricted_package_name"},
    Field{"data", text_map},
    Field{"notification", object, kAndroidNotification},
    Field{"direct_boot_ok", flag},
    Field{"bandwidth_constrained_ok", flag},
    Field{"restricted_satellite_ok", flag},
    Field{"fcm_options", object, kOptions},
};
constexpr std::array kApns = {
    Field{"headers", text_map},
    Field{"payload", any_object},
    Field{"live_activity_token"},
    Field{"fcm_options", object, kApnsOptions},
};
constexpr std::array kWebpush = {
    Field{"headers", text_map},
    Field{"data", text_map},
    Field{"notification", any_object},
    Field{"fcm_options", object, kWebpushOptions},
};
constexpr std::array kMessage = {
    Field{"name"},
    Field{"data", text_map},
    Field{"notification", object, kNotification},
    Field{"android", object, kAndroid},
    Field{"webpush", object, kWebpush},
    Field{"apns", object, kApns},
    Field{"fcm_options", object, kOptions},
    Field{"token"},
    Field{"fid"},
    Field{"topic"},
    Field{"condition"},
};
constexpr std::array kBody = {Field{"validate_only", flag}, Field{"message", object, kMessage}};

std::string camel_of(std::string_view snake) {
  std::string camel;
  for (std::size_t i = 0; i < snake.size(); ++i) {
    if (snake[i] == '_' && i + 1 < snake.size()) {
      camel += static_cast<char>(snake[++i] & ~0x20);
    } else {
      camel += snake[i];
    }
  }
  return camel;
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case flag: return "TYPE_BOOL";
    case integer: return "TYPE_INT32";
    case number: return "TYPE_FLOAT";
    case duration: return "type.googleapis.com/google.protobuf.Duration";
    case choice: return "TYPE_ENUM";
    case any_object: return "type.googleapis.com/google.protobuf.Struct";
    case text:
    case text_map:
    case text_list:
    case object: break;
  }
  return "TYPE_STRING";
}

FieldViolation invalid_value(const std::string& path, Kind kind, Element value) {
  return {path, fmt::format("Invalid value at '{}' ({}), {}", path, type_name(kind),
                            simdjson::minify(value))};
}

/// `3600s` or `3.5s`.
bool is_duration(std::string_view value) {
  if (value.size() < 2 || value.back() != 's') return false;
  value.remove_suffix(1);
  const bool digits = std::all_of(value.begin(), value.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return digits && value.front() != '.' && value.back() != '.' &&
         std::count(value.begin(), value.end(), '.') <= 1;
}

/// Google's parser takes names of enums in either case; its own libraries send lower case.
bool same_word(std::string_view upper, std::string_view text) {
  return std::equal(upper.begin(), upper.end(), text.begin(), text.end(), [](char a, char b) {
    return a == (b >= 'a' && b <= 'z' ? static_cast<char>(b & ~0x20) : b);
  });
}

bool has_kind(Element value, const Field& field) {
  std::string_view string;
  switch (field.kind) {
    case flag: return value.is_bool();
    case integer: return value.is_int64();
    case number: return value.is_number();
    case duration: return value.get(string) == SUCCESS && is_duration(string);
    case choice:
      return value.get(string) == SUCCESS &&
             std::any_of(field.choices.begin(), field.choices.end(),
                         [&](std::string_view choice) { return same_word(choice, string); });
    case any_object: return value.is_object();
    case text:
    case text_map:
    case text_list:
    case object: break;
  }
  return value.is_string();
}

std::optional<FieldViolation> check_object(Element value, std::span<const Field> fields,
                                           const std::string& path);

std::optional<FieldViolation> check_map(Element value, const std::string& path) {
  simdjson::dom::object map;
  if (value.get(map) != SUCCESS) return invalid_value(path, text_map, value);
  std::size_t index = 0;
  for (const auto entry : map) {
    if (!entry.value.is_string()) {
      return invalid_value(fmt::format("{}[{}].value", path, index), text, entry.value);
    }
    ++index;
  }
  return std::nullopt;
}

std::optional<FieldViolation> check_list(Element value, const std::string& path) {
  simdjson::dom::array list;
  if (value.get(list) != SUCCESS) return invalid_value(path, text_list, value);
  std::size_t index = 0;
  for (const Element item : list) {
    if (!item.is_string()) return invalid_value(fmt::format("{}[{}]", path, index), text, item);
    ++index;
  }
  return std::nullopt;
}

std::optional<FieldViolation> check_field(Element value, const Field& field,
                                          const std::string& path) {
  switch (field.kind) {
    case text_map: return check_map(value, path);
    case text_list: return check_list(value, path);
    case object: return check_object(value, field.fields, path);
    default: break;
  }
  if (has_kind(value, field)) return std::nullopt;
  return invalid_value(path, field.kind, value);
}

std::optional<FieldViolation> check_object(Element value, std::span<const Field> fields,
                                           const std::string& path) {
  simdjson::dom::object members;
  if (value.get(members) != SUCCESS) return invalid_value(path, any_object, value);
  for (const auto member : members) {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
      return field.name == member.key || camel_of(field.name) == member.key;
    });
    if (found == fields.end()) {
      const std::string where = path.empty() ? "" : fmt::format(" at '{}'", path);
      return FieldViolation{path,
                            fmt::format("Invalid JSON payload received. Unknown name \"{}\"{}:"
                                        " Cannot find field.",
                                        member.key, where)};
    }
    const std::string inner =
        path.empty() ? std::string(found->name) : fmt::format("{}.{}", path, found->name);
    if (auto violation = check_field(member.value, *found, inner)) return violation;
  }
  return std::nullopt;
}

}  // namespace

std::optional<FieldViolation> check_fcm_form(Element body) { return check_object(body, kBody, ""); }

simdjson::simdjson_result<Element> find_field(Element object, std::string_view snake_case) {
  const auto found = object[snake_case];
  return found.error() == SUCCESS ? found : object[camel_of(snake_case)];
}

}  // namespace notify::simulator
