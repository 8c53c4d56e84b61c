#include "push-simulator/device_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using base::WallTime;
using nlohmann::json;

std::optional<Platform> platform_of(std::string_view text) {
  if (text == "ios") return Platform::ios;
  if (text == "android") return Platform::android;
  if (text == "web") return Platform::web;
  return std::nullopt;
}

std::string_view name(Platform platform) {
  switch (platform) {
    case Platform::ios: return "ios";
    case Platform::android: return "android";
    case Platform::web: return "web";
  }
  return "unknown";
}

std::optional<PushEnvironment> environment_of(std::string_view text) {
  if (text == "production") return PushEnvironment::production;
  if (text == "sandbox") return PushEnvironment::sandbox;
  if (text.empty()) return PushEnvironment::any;
  return std::nullopt;
}

std::string_view name(PushEnvironment environment) {
  switch (environment) {
    case PushEnvironment::production: return "production";
    case PushEnvironment::sandbox: return "sandbox";
    case PushEnvironment::any: break;
  }
  return "";
}

Expected<void> check_device_fields(const json& value) {
  static const std::set<std::string_view> kKnown{
      "id",         "platform",      "token",     "app_id",    "environment", "vendor_device_id",
      "dead_since", "registered_at", "last_seen", "is_active", "dead"};
  for (const auto& [key, unused] : value.items()) {
    if (!kKnown.contains(key)) {
      return fail(Errc::invalid, fmt::format("unknown field '{}' in a device", key));
    }
  }
  return {};
}

/// Leaves `out` as it is if the field is absent.
Expected<void> read_time(const json& value, const char* key, WallTime& out) {
  const auto found = value.find(key);
  if (found == value.end() || found->is_null()) return {};
  const auto time = parse_time(*found);
  if (!time) return fail(Errc::invalid, fmt::format("'{}': {}", key, time.error().detail));
  out = *time;
  return {};
}

Expected<Device> parse_device(const json& value, WallTime now) {
  if (!value.is_object()) return fail(Errc::invalid, "a device is an object");
  if (auto names = check_device_fields(value); !names) return fail(names.error());
  const auto id = base::DeviceId::parse(value.value("id", ""));
  const auto platform = platform_of(value.value("platform", "ios"));
  const auto environment = environment_of(value.value("environment", "production"));
  if (!id) return fail(Errc::invalid, "'id' of a device is a UUID");
  if (!platform) return fail(Errc::invalid, "'platform' is \"ios\", \"android\" or \"web\"");
  if (!environment) return fail(Errc::invalid, "'environment' is \"production\" or \"sandbox\"");

  Device device;
  device.id = *id;
  device.platform = *platform;
  device.environment = *environment;
  device.token = value.value("token", "");
  if (device.token.empty()) return fail(Errc::invalid, "'token' of a device is missing");
  device.app_id = value.value("app_id", "");
  device.vendor_device_id = value.value("vendor_device_id", "");
  device.is_active = value.value("is_active", true);
  device.registered_at = now;
  if (auto read = read_time(value, "registered_at", device.registered_at); !read) {
    return fail(read.error());
  }
  device.last_seen = std::max(now, device.registered_at);
  if (auto read = read_time(value, "last_seen", device.last_seen); !read) return fail(read.error());
  if (value.value("dead", false)) {
    WallTime since = now;
    if (auto read = read_time(value, "dead_since", since); !read) return fail(read.error());
    device.dead_since = since;
  }
  return device;
}

Expected<UserDevices> parse_checked(const json& value, WallTime now) {
  if (!value.is_object()) {
    return fail(Errc::invalid, R"(expected {"user_id": ..., "devices": [...]})");
  }
  const auto user = base::UserId::parse(value.value("user_id", ""));
  if (!user) return fail(Errc::invalid, "'user_id' is a UUID");
  const auto list = value.find("devices");
  if (list == value.end() || !list->is_array()) return fail(Errc::invalid, "'devices' is an array");
  UserDevices result;
  result.user_id = *user;
  for (const json& item : *list) {
    auto device = parse_device(item, now);
    if (!device) return fail(device.error());
    result.devices.push_back(*std::move(device));
  }
  return result;
}

}  // namespace

Expected<UserDevices> parse_user_devices(const json& value, WallTime now) {
  try {
    return parse_checked(value, now);
  } catch (const json::exception& error) {  // a field of the wrong type
    return fail(Errc::invalid, error.what());
  }
}

json to_json(const Device& device) {
  json value{{"id", device.id.to_string()},
             {"user_id", device.user_id.to_string()},
             {"platform", name(device.platform)},
             {"token", device.token},
             {"app_id", device.app_id},
             {"environment", name(device.environment)},
             {"vendor_device_id", device.vendor_device_id},
             {"registered_at", base::to_rfc3339(device.registered_at)},
             {"last_seen", base::to_rfc3339(device.last_seen)},
             {"is_active", device.is_active},
             {"version", device.version},
             {"dead", device.dead_since.has_value()}};
  if (device.dead_since) value["dead_since"] = base::to_rfc3339(*device.dead_since);
  return value;
}

Expected<WallTime> parse_time(const json& value) {
  if (value.is_number_integer()) {
    return WallTime(std::chrono::milliseconds(value.get<std::int64_t>()));
  }
  std::string text = value.is_string() ? value.get<std::string>() : std::string();
  if (text.size() > 11 && text[10] == 'T' && text.back() == 'Z') {  // RFC 3339 in UTC
    text[10] = ' ';
    text.pop_back();
    if (const auto time = base::parse_sql_timestamp(text)) return *time;
  }
  return fail(Errc::invalid, "a time is RFC 3339 in UTC, or milliseconds since 1970");
}

}  // namespace notify::simulator
