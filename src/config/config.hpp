#pragma once
// Everything that can be set, one struct per component. The values here are the defaults; keys,
// ranges and explanations are in the table of fields.cpp. To add a setting, add a member here and a
// row there: parsing, the environment, `config show`, error messages and the reference follow.

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.hpp"

namespace notify::config {

using namespace std::chrono_literals;  // NOLINT: the defaults below are unreadable without it

struct Grpc {
  Address listen{"127.0.0.1", 50051};
  Bytes request_max_bytes{1024 * 1024};
  std::size_t in_flight_max = 10'000;
  std::size_t streams_max = 1'000;
  Duration idle_timeout = 10min;
  Duration ping_interval = 1min;
  bool reflection = true;
  FilePath cert_file;
  FilePath key_file;
  FilePath ca_file;
  bool forwarded_identity = false;

  [[nodiscard]] bool has_certificates() const { return !cert_file.empty(); }
  /// Callers prove who they are.
  [[nodiscard]] bool knows_callers() const { return has_certificates() || forwarded_identity; }
};

struct Http {
  Address listen{"127.0.0.1", 8080};
  Url jwks_url;
  FilePath jwks_ca_file;
  FilePath jwks_file;
  std::string jwt_issuer;
  std::string jwt_audience;
  Duration jwt_leeway = 30s;
  std::vector<std::string> cors_origins;
  Bytes request_max_bytes{64 * 1024};
  Duration request_timeout = 10s;
  std::size_t connections_max = 1'000;
  std::size_t proxies = 0;

  /// Without keys nobody can be let in.
  [[nodiscard]] bool has_keys() const { return !jwks_url.empty() || !jwks_file.empty(); }
};

struct Admin {
  Address listen{"127.0.0.1", 9090};
};

struct Postgres {
  Url url{"postgresql:///notification?host=/var/run/postgresql"};
  std::size_t connections = 4;
  std::size_t background_connections = 2;
};

struct Redis {
  Url url{"redis://127.0.0.1:6379"};
  Url cache_url;
  FilePath ca_file;
};

struct AuthService {
  Address address{"127.0.0.1", 50052};
  Duration timeout = 2s;
};

struct UserService {
  Address address;
  Duration timeout = 1s;
  WhenDown when_down = WhenDown::deliver;
  Duration cache_ttl = 10min;
  Duration cache_unknown_ttl = 30s;
  std::size_t cache_users = 200'000;
};

struct Devices {
  Duration cache_ttl = 1min;
  std::size_t cache_users = 100'000;
};

struct Apns {
  Url endpoint{"https://api.push.apple.com"};
  ApnsEnvironment environment = ApnsEnvironment::by_endpoint;
  FilePath ca_file;
  FilePath key_file;
  std::string key_id;
  std::string team_id;
  std::string topic;
  std::size_t connections = 2;
  std::size_t streams = 1'000;
  Duration request_timeout = 10s;

  /// All four of the credentials are there; check() refuses some without the others.
  [[nodiscard]] bool configured() const { return !key_file.empty(); }
  /// The endpoint is Apple's server for development builds.
  [[nodiscard]] bool asks_sandbox() const {
    const std::string_view url = endpoint.reveal();
    return url.starts_with("https://api.sandbox.push.apple.com") ||
           url.starts_with("https://api.development.push.apple.com");
  }
  /// The endpoint is Apple's server for apps from its stores.
  [[nodiscard]] bool asks_production() const {
    return endpoint.reveal().starts_with("https://api.push.apple.com");
  }
};

struct Fcm {
  Url endpoint{"https://fcm.googleapis.com"};
  FilePath ca_file;
  FilePath credentials_file;
  bool metadata_server = false;
  std::string project_id;
  std::size_t connections = 4;
  std::size_t streams = 1'000;
  Duration request_timeout = 10s;
  std::size_t messages_per_minute = 600'000;

  [[nodiscard]] bool configured() const { return !credentials_file.empty() || metadata_server; }
};

struct WebPush {
  FilePath key_file;
  std::string subject;
  std::string app_url;
  std::vector<std::string> allowed_hosts{"fcm.googleapis.com", "android.googleapis.com",
                                         "*.push.services.mozilla.com", "*.push.apple.com",
                                         "*.notify.windows.com"};
  std::vector<std::string> private_hosts;
  FilePath ca_file;
  std::size_t origins_max = 64;
  std::size_t connections = 2;
  std::size_t streams = 500;
  Duration request_timeout = 10s;

  /// A key, a subject and a page are there; check() refuses some without the others.
  [[nodiscard]] bool configured() const { return !key_file.empty(); }
};

struct Queue {
  std::size_t shards = 1;
  Duration age_bound = 30s;
};

struct Accept {
  std::size_t batch_max = 500;
  std::size_t waiting_max = 20'000;
  std::size_t unqueued_max = 200'000;
};

struct Decision {
  std::vector<std::string> critical_types{"security", "security_alert"};
  std::vector<std::string> critical_callers;
  Duration release_jitter = 1min;
  std::vector<std::string> grouped_types{"message"};
  Duration burst_window = 30s;
};

struct Limits {
  OverLimit over = OverLimit::refuse;
  std::vector<Rate> user{{60, 1min}, {600, 1h}, {1'000, 24h}};
  std::vector<Rate> conversation{{100, 1h}};
  std::vector<Rate> device;
  std::vector<Rate> caller;
  std::vector<Rate> ip;
  std::vector<Rate> rest_user{{300, 1min}};
  std::vector<Rate> rest_ip;
  std::vector<TypeRate> types;
};

struct Preview {
  std::string hidden_title = "Whispr";
  std::string hidden_body = "New message";
  std::string summary_body = "{count} new messages";
};

struct Settings {
  std::size_t cache_users = 200'000;
};

struct Deliver {
  std::size_t lease_max = 64;
  std::size_t in_flight_max = 2'000;
  std::vector<Duration> retry_delays{30s, 1min, 5min, 15min, 1h};
  std::size_t retry_max = 5;
  std::size_t brake_share = 20;
  Duration report_delay = 1min;
  std::size_t server_share = 50;
};

struct Recover {
  Duration heartbeat_interval = 1s;
  Duration heartbeat_timeout = 5s;
  Duration sweep_interval = 10s;
};

struct Retention {
  Duration history = 24h * 90;
  Duration attempts = 24h * 30;
  Duration interactions = 24h * 30;
  Duration audit = 24h * 365;
  Duration replays = 24h * 90;
  Duration idempotency_keys = 24h * 2;
};

struct Cancel {
  Duration wait = 2s;
};

struct Expiry {
  Duration call = 45s;
  Duration message = 4h;
  Duration other = 24h;
  Duration kept_min = 10min;
};

struct Logging {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  base::Secret user_key;
};

struct Shutdown {
  Duration timeout = 30s;
  Duration linger = 0s;
};

struct Service {
  std::size_t workers = 1;
  std::string node_name;  ///< load() puts the host's name here if nothing is set
};

/// Where each value that is not a default came from: `file:line:column` or `env NAME`, by key.
using Origins = std::map<std::string, std::string, std::less<>>;

struct Config {
  Service service;
  Grpc grpc;
  Http http;
  Admin admin;
  Postgres postgres;
  Redis redis;
  AuthService auth_service;
  UserService user_service;
  Devices devices;
  Apns apns;
  Fcm fcm;
  WebPush webpush;
  Queue queue;
  Accept accept;
  Decision decision;
  Limits limits;
  Preview preview;
  Settings settings;
  Deliver deliver;
  Recover recover;
  Retention retention;
  Cancel cancel;
  Expiry expiry;
  Logging log;
  Shutdown shutdown;

  Origins origins;

  /// `default` if nobody set the key.
  [[nodiscard]] std::string origin_of(std::string_view key) const {
    const auto found = origins.find(key);
    return found == origins.end() ? "default" : found->second;
  }
};

}  // namespace notify::config
