#include "push-simulator/control_api.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "push-simulator/device_json.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Error;
using nlohmann::json;

constexpr std::string_view kDevicePrefix = "/devices/";

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

ControlResponse ok(const json& value) { return {200, dump(value)}; }
ControlResponse no_content() { return {204, {}}; }
ControlResponse refused(int status, std::string_view why) {
  return {status, dump({{"error", why}})};
}
ControlResponse refused(const Error& error) {
  return refused(error.code == Errc::not_found ? 404 : 400, error.detail);
}

/// The value of `name` in a query string; empty if absent. Values here need no percent-decoding.
std::string_view query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
    }
  }
  return {};
}

std::optional<std::uint64_t> query_number(std::string_view query, std::string_view name,
                                          std::uint64_t otherwise) {
  const std::string_view text = query_value(query, name);
  if (text.empty()) return otherwise;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

ControlResponse ControlApi::handle(const ControlRequest& request) {
  const std::size_t mark = request.target.find('?');
  const std::string_view path = request.target.substr(0, mark);
  const std::string_view query =
      mark == path.npos ? std::string_view() : request.target.substr(mark + 1);
  try {
    return route(request, path, query);
  } catch (const json::exception& error) {
    return refused(400, error.what());
  }
}

ControlResponse ControlApi::route(const ControlRequest& request, std::string_view path,
                                  std::string_view query) {
  const std::string_view method = request.method;
  if (path == "/healthz" && method == "GET") return ok({{"status", "ok"}});
  if (path == "/stats" && method == "GET") return get_stats();
  if (path == "/received" && method == "GET") return get_received(query);
  if (path == "/reset" && method == "POST") return reset(query);
  if (path == "/devices" && method == "PUT") return put_devices(request.body);
  if (path == "/users" && method == "PUT") return put_user(request.body);
  if (path == "/devices/generate" && method == "POST") return generate(request.body);
  if (path == "/subscriptions" && method == "POST") return post_subscription(request.body);
  if (path == "/faults" && method == "POST") return post_faults(request.body);
  if (path == "/browsers/disconnect" && method == "POST") return disconnect_browsers();
  if (path == "/faults" && method == "DELETE") {
    parts_.faults.clear();
    return no_content();
  }
  if (path.starts_with(kDevicePrefix) && path.size() > kDevicePrefix.size()) {
    const std::string_view token = path.substr(kDevicePrefix.size());
    if (method == "GET") return get_device(token);
    if (method == "PATCH") return patch_device(token, request.body);
  }
  return refused(404, "no such route; README.md lists them");
}

ControlResponse ControlApi::put_devices(std::string_view body) {
  const json value = json::parse(body);
  const json list = value.is_array() ? value : json::array({value});
  std::vector<UserDevices> users;
  for (const json& item : list) {
    auto user = parse_user_devices(item, parts_.clock.now());
    if (!user) return refused(user.error());
    users.push_back(*std::move(user));
  }
  for (UserDevices& user : users) {
    for (const Device& device : user.devices) {
      if (device.platform == Platform::web && parts_.subscriptions != nullptr) {
        parts_.subscriptions->learn_token(device.token);
      }
    }
    parts_.registry.replace_user(user.user_id, std::move(user.devices));
  }
  return no_content();
}

ControlResponse ControlApi::put_user(std::string_view body) {
  const json value = json::parse(body);
  const auto user = base::UserId::parse(value.at("user_id").get<std::string>());
  if (!user) return refused(400, "'user_id' is a UUID");
  parts_.unknown_users.set(*user, value.at("known").get<bool>());
  return no_content();
}

ControlResponse ControlApi::generate(std::string_view body) {
  const json value = json::parse(body);
  GeneratedDevices wanted;
  wanted.users = value.at("users").get<std::uint64_t>();
  const auto per_user = value.value("per_user", std::uint64_t{1});
  const auto seed = value.value("seed", std::uint64_t{0});
  wanted.app_id = value.value("app_id", parts_.default_app_id);
  if (per_user == 0 || per_user > 100) return refused(400, "'per_user' is from 1 to 100");
  if (wanted.users > kMaxGenerated / per_user) return refused(400, "at most 5000000 devices");
  if (seed > 0xFFFF'FFFF) return refused(400, "'seed' has at most 32 bits");
  wanted.per_user = static_cast<std::uint32_t>(per_user);
  wanted.seed = static_cast<std::uint32_t>(seed);
  const std::string platform = value.value("platform", "ios");
  const std::string vapid_key = value.value("vapid_key", "");
  if (platform != "ios" && platform != "android" && platform != "web") {
    return refused(400, R"('platform' is "ios", "android" or "web")");
  }
  if (platform == "android") wanted.platform = Platform::android;
  if (platform == "web") {
    if (parts_.subscriptions == nullptr)
      return refused(404, "there is no push service for browsers");
    wanted.platform = Platform::web;
    wanted.make_token = [&](const std::string& id) {
      return parts_.subscriptions->add(id, vapid_key).value_or("");
    };
  }
  parts_.registry.generate(wanted, parts_.clock.now());
  return no_content();
}

std::optional<json> ControlApi::token_stats(std::string_view token) const {
  if (auto stats = parts_.ledger.token_stats(token)) return stats;
  for (const ProviderBooks& books : parts_.others) {
    if (auto stats = books.ledger.token_stats(token)) return stats;
  }
  return std::nullopt;
}

ControlResponse ControlApi::post_subscription(std::string_view body) {
  if (parts_.subscriptions == nullptr) return refused(404, "there is no push service for browsers");
  const json value = json::parse(body);
  const std::string id = value.at("id").get<std::string>();
  const bool is_id = !id.empty() && id.size() <= 64 && id.find_first_of("/?# ") == id.npos;
  if (!is_id) return refused(400, "'id' has 1 to 64 characters that a path may have");
  const auto token = parts_.subscriptions->add(id, value.value("vapid_key", ""));
  if (!token) return refused(token.error());
  return ok({{"id", id}, {"token", *token}});
}

ControlResponse ControlApi::disconnect_browsers() {
  if (parts_.browsers == nullptr) return refused(404, "there is no push server for browsers");
  parts_.browsers->cut_all();
  return no_content();
}

std::string ControlApi::token_of(std::string_view id) const {
  const auto browser = parts_.subscriptions == nullptr ? nullptr : parts_.subscriptions->find(id);
  return browser == nullptr || browser->token.empty() ? std::string(id) : browser->token;
}

ControlResponse ControlApi::get_device(std::string_view token) const {
  const auto device = parts_.registry.find_by_token(token_of(token));
  const auto counted = token_stats(token);
  const auto channel =
      parts_.browsers == nullptr ? std::nullopt : parts_.browsers->channel_stats(token);
  if (!device && !counted && !channel)
    return refused(404, "nobody has this token, and nothing was sent to it");
  json value = counted.value_or(
      json{{"accepted", 0}, {"refused", 0}, {"ids", json::array()}, {"last_payload", nullptr}});
  value["device"] = device ? to_json(*device) : json(nullptr);
  if (channel) value["browser"] = *channel;
  return ok(value);
}

ControlResponse ControlApi::patch_device(std::string_view token, std::string_view body) {
  const json value = json::parse(body);
  TokenChange change;
  if (value.contains("dead")) {
    std::optional<base::WallTime> since;
    if (value.at("dead").get<bool>()) since = parts_.clock.now();
    if (since && value.contains("dead_since")) {
      const auto time = parse_time(value.at("dead_since"));
      if (!time) return refused(time.error());
      since = *time;
    }
    change.dead_since = since;
  }
  if (value.contains("is_active")) change.is_active = value.at("is_active").get<bool>();
  if (auto changed = parts_.registry.change_token(token_of(token), change); !changed) {
    return refused(changed.error());
  }
  return no_content();
}

ControlResponse ControlApi::post_faults(std::string_view body) {
  const json value = json::parse(body);
  const json list = value.is_array() ? value : json::array({value});
  std::vector<Fault> faults;
  for (const json& item : list) {
    auto fault = parse_fault(item);
    if (!fault) return refused(fault.error());
    faults.push_back(*std::move(fault));
  }
  for (Fault& fault : faults) {
    if (auto added = parts_.faults.add(std::move(fault)); !added) return refused(added.error());
  }
  return no_content();
}

ControlResponse ControlApi::get_stats() const {
  json stats = parts_.ledger.stats();
  for (const ProviderBooks& books : parts_.others) {
    stats[std::string(books.provider)] = books.ledger.stats();
  }
  const Registry::Size size = parts_.registry.size();
  stats["users"] = size.users;
  stats["devices"] = size.devices;
  stats["faults_left"] = parts_.faults.size();
  stats["received_lines"] = parts_.log == nullptr ? 0 : parts_.log->size();
  stats["auth"] = parts_.auth.stats();
  stats["user"] = {{"calls", parts_.user_calls.stats()}};
  if (parts_.browsers != nullptr) stats["browsers"] = parts_.browsers->stats();
  return ok(stats);
}

ControlResponse ControlApi::get_received(std::string_view query) {
  if (parts_.log == nullptr) return refused(404, "started with --no-received-log");
  const auto since = query_number(query, "since", 0);
  const auto limit = query_number(query, "limit", 1000);
  if (!since || !limit) return refused(400, "'since' and 'limit' are numbers");
  return {200, parts_.log->read(*since, std::min(*limit, kMaxPage))};
}

ControlResponse ControlApi::reset(std::string_view query) {
  if (query_value(query, "keep") != "devices") {
    parts_.registry.clear();
    if (parts_.subscriptions != nullptr) parts_.subscriptions->clear();
    if (parts_.browsers != nullptr) parts_.browsers->clear();
  }
  if (parts_.browsers != nullptr) parts_.browsers->clear_counts();
  parts_.faults.clear();
  parts_.ledger.clear();
  for (const ProviderBooks& books : parts_.others) books.ledger.clear();
  parts_.auth.clear();
  parts_.user_calls.clear();
  parts_.unknown_users.clear();
  if (parts_.log != nullptr) parts_.log->clear();
  return no_content();
}

}  // namespace notify::simulator
