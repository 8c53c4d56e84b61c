#include "push-simulator/options.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "push-simulator/listen.hpp"

namespace notify::simulator {
namespace {

constexpr int kBadArguments = 2;

struct Raw {
  std::string apns_listen = "127.0.0.1:0";
  std::string fcm_listen = "127.0.0.1:0";
  std::string webpush_listen = "127.0.0.1:0";
  std::string expired_listen = "127.0.0.1:0";
  std::string browser_listen = "127.0.0.1:0";
  std::string auth_listen = "127.0.0.1:0";
  std::string control_listen = "127.0.0.1:0";
  std::string environment = "any";
  std::int64_t fcm_token_seconds = 3600;
  bool no_received_log = false;
};

std::string check_listen(const std::string& text) {
  const auto parsed = parse_listen(text);
  return parsed ? std::string() : parsed.error().detail;
}

void declare_fcm(CLI::App& app, Raw& raw, Options& options) {
  app.add_option("--fcm-listen", raw.fcm_listen,
                 "Where FCM and its token server listen (HTTP/2 over TLS)")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--fcm-project", options.fcm.project_id, "The Firebase project")
      ->capture_default_str();
  app.add_option("--fcm-token-seconds", raw.fcm_token_seconds, "How long an access token is good")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.add_option("--fcm-max-streams", options.fcm.max_streams, "SETTINGS_MAX_CONCURRENT_STREAMS")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

void declare(CLI::App& app, Raw& raw, Options& options) {
  app.add_option("--apns-listen", raw.apns_listen,
                 "Where APNs listens (HTTP/2 over TLS); port 0 takes a free one")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--webpush-listen", raw.webpush_listen,
                 "Where the browsers' push service listens (HTTP/2 over TLS)")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--browser-listen", raw.browser_listen,
                 "Where real browsers connect for their messages (WebSocket, plain text)")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--webpush-decrypt-every", options.webpush_decrypt_every,
                 "Decrypt one Web Push message of so many; the others are taken unread (for load)")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--expired-listen", raw.expired_listen,
                 "Where a server with an expired certificate listens")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--auth-listen", raw.auth_listen, "Where auth-service listens (gRPC, plain text)")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--control-listen", raw.control_listen,
                 "Where the control port listens (HTTP/1.1, JSON, no authentication)")
      ->check(check_listen)
      ->capture_default_str();
  app.add_option("--state-dir", options.state_dir,
                 "Made if missing; receives ca.pem, server.pem, server.key, ports.json, "
                 "fcm-service-account.json and received.jsonl")
      ->required();
  app.add_option("--apns-key-file", options.apns_key_file,
                 "The EC P-256 key (.p8, PEM) that provider tokens are signed with; if the file "
                 "does not exist a new private key is written there")
      ->required();
  app.add_option("--apns-key-id", options.apns_key_id, "The `kid` of valid provider tokens")
      ->required();
  app.add_option("--apns-team-id", options.apns_team_id, "The `iss` of valid provider tokens")
      ->required();
  app.add_option("--apns-topic", options.apns.topics,
                 "A bundle id that the key may push to; may be given several times")
      ->required();
  app.add_option("--apns-environment", raw.environment,
                 "Tokens of the other environment are BadDeviceToken; any: not checked")
      ->check(CLI::IsMember({"any", "production", "sandbox"}))
      ->capture_default_str();
  app.add_option("--apns-max-streams", options.apns_max_streams,
                 "SETTINGS_MAX_CONCURRENT_STREAMS once a connection has shown a valid provider "
                 "token; it is 1 before")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  declare_fcm(app, raw, options);
  app.add_flag("--no-received-log", raw.no_received_log,
               "Keep counters only: no received.jsonl, no ids and payloads by token (for load)");
}

/// Checked by CLI11 already, so that the defaults never stand in for a mistake.
boost::asio::ip::tcp::endpoint endpoint_of(const std::string& text) {
  const auto parsed = parse_listen(text);
  return parsed ? *parsed : boost::asio::ip::tcp::endpoint();
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  CLI::App app(
      "Stands for everything outside the notification service on real sockets: the push services "
      "of Apple, of Google and of browsers, auth-service, and a control port for scripted faults "
      "and for what was "
      "received.",
      "push-simulator");
  Raw raw;
  Options options;
  declare(app, raw, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return {std::nullopt, code == 0 ? 0 : kBadArguments};
  }
  options.apns_listen = endpoint_of(raw.apns_listen);
  options.fcm.listen = endpoint_of(raw.fcm_listen);
  options.fcm.token_lifetime = std::chrono::seconds(raw.fcm_token_seconds);
  options.webpush_listen = endpoint_of(raw.webpush_listen);
  options.expired_listen = endpoint_of(raw.expired_listen);
  options.browser_listen = endpoint_of(raw.browser_listen);
  options.auth_listen = endpoint_of(raw.auth_listen);
  options.control_listen = endpoint_of(raw.control_listen);
  if (raw.environment == "production") options.apns.environment = PushEnvironment::production;
  if (raw.environment == "sandbox") options.apns.environment = PushEnvironment::sandbox;
  options.detail = raw.no_received_log ? Detail::counters_only : Detail::full;
  return {std::move(options), 0};
}

}  // namespace notify::simulator
