#include <fmt/format.h>
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "base/spiffe.hpp"
#include "config/load.hpp"

namespace notify::config {
namespace {

class Checker {
 public:
  explicit Checker(const Config& config) : config_(config) {}

  void require(bool holds, std::string_view key, std::string_view what, std::string_view hint) {
    if (holds) return;
    problems.push_back(
        {config_.origin_of(key), fmt::format("{}: {}", key, what), std::string(hint)});
  }

  void require_file(const FilePath& path, std::string_view key) {
    if (path.empty()) return;
    std::error_code error;
    const bool is_file = std::filesystem::is_regular_file(path, error);
    require(is_file, key, fmt::format("'{}' is not a file", path.string()), "check the path");
    if (!is_file) return;
    require(std::ifstream(path).good(), key, fmt::format("'{}' cannot be read", path.string()),
            "check who may read it");
  }

  Problems problems;

 private:
  const Config& config_;
};

bool is_apple_id(const std::string& text) {
  return text.size() == 10 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
         });
}

void check_apns(const Apns& apns, Checker& checker) {
  constexpr std::string_view kTogether =
      "apns.key_file, key_id, team_id and topic belong together: set all four, or none for no APNs";
  const bool any = !apns.key_file.empty() || !apns.key_id.empty() || !apns.team_id.empty() ||
                   !apns.topic.empty();
  if (any) {
    checker.require(!apns.key_file.empty(), "apns.key_file", "is missing", kTogether);
    checker.require(!apns.key_id.empty(), "apns.key_id", "is missing", kTogether);
    checker.require(!apns.team_id.empty(), "apns.team_id", "is missing", kTogether);
    checker.require(!apns.topic.empty(), "apns.topic", "is missing", kTogether);
  }
  constexpr std::string_view kShape = "is not 10 capital letters and digits";
  constexpr std::string_view kSource = "copy it from the developer account";
  checker.require(apns.key_id.empty() || is_apple_id(apns.key_id), "apns.key_id", kShape, kSource);
  checker.require(apns.team_id.empty() || is_apple_id(apns.team_id), "apns.team_id", kShape,
                  kSource);
  checker.require(apns.topic.find(' ') == std::string::npos, "apns.topic", "holds a space",
                  "it is the app's bundle id, like com.example.app");
  constexpr std::string_view kOther = "is not the environment of apns.endpoint";
  constexpr std::string_view kByEndpoint = "correct one of them, or write by_endpoint";
  checker.require(apns.environment != ApnsEnvironment::production || !apns.asks_sandbox(),
                  "apns.environment", kOther, kByEndpoint);
  checker.require(apns.environment != ApnsEnvironment::sandbox || !apns.asks_production(),
                  "apns.environment", kOther, kByEndpoint);
  checker.require_file(apns.key_file, "apns.key_file");
  checker.require_file(apns.ca_file, "apns.ca_file");
}

/// Firebase's rule: 6 to 30 small letters, digits and hyphens. A project's number does as well.
bool is_project_id(const std::string& text) {
  return text.size() <= 30 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

void check_fcm(const Fcm& fcm, Checker& checker) {
  checker.require(fcm.credentials_file.empty() || !fcm.metadata_server, "fcm.metadata_server",
                  "is set beside fcm.credentials_file",
                  "access tokens come from one place: remove one of them");
  checker.require(!fcm.metadata_server || !fcm.project_id.empty(), "fcm.project_id", "is missing",
                  "the metadata server does not say which project to send in: name it");
  checker.require(is_project_id(fcm.project_id), "fcm.project_id", "is no id of a project",
                  "copy it from the settings of the Firebase project, like whispr-prod-1a2b3");
  checker.require(fcm.configured() || fcm.project_id.empty(), "fcm.project_id", "has no effect",
                  "set fcm.credentials_file or fcm.metadata_server, or remove this");
  checker.require_file(fcm.credentials_file, "fcm.credentials_file");
  checker.require_file(fcm.ca_file, "fcm.ca_file");
}

/// `host` or `*.host`, with a port or without.
bool is_host_entry(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  const bool has_dot_at_end = text.starts_with('.') || text.ends_with('.');
  return !text.empty() && !has_dot_at_end && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-:[]").find(c) != std::string_view::npos;
  });
}

void check_webpush(const WebPush& webpush, Checker& checker) {
  constexpr std::string_view kTogether =
      "webpush.key_file, subject and app_url belong together: set all, or none for no Web Push";
  if (webpush.configured() || !webpush.subject.empty() || !webpush.app_url.empty()) {
    checker.require(webpush.configured(), "webpush.key_file", "is missing", kTogether);
    checker.require(!webpush.subject.empty(), "webpush.subject", "is missing", kTogether);
    checker.require(!webpush.app_url.empty(), "webpush.app_url", "is missing", kTogether);
  }
  // Apple refuses any other form: a blank, angle brackets, a name beside the address.
  const std::string& subject = webpush.subject;
  const bool is_mail = subject.starts_with("mailto:") && subject.find('@') != subject.npos;
  const bool is_subject = (is_mail || subject.starts_with("https://")) &&
                          subject.find_first_of(" <>\"") == subject.npos;
  checker.require(subject.empty() || is_subject, "webpush.subject",
                  "is neither mailto:address nor an https:// page",
                  "write it like mailto:push@example.com, without blanks and angle brackets");
  constexpr std::size_t kAppUrlMax = 200;
  const bool is_url = webpush.app_url.starts_with("https://") &&
                      webpush.app_url.size() <= kAppUrlMax &&
                      webpush.app_url.find(' ') == std::string::npos;
  checker.require(webpush.app_url.empty() || is_url, "webpush.app_url",
                  "is not an https:// page of at most 200 bytes",
                  "write it like https://app.example.com/");
  for (const std::string& host : webpush.allowed_hosts) {
    checker.require(is_host_entry(host), "webpush.allowed_hosts",
                    fmt::format("'{}' is not a host", host),
                    "write it like push.example.com, *.example.com or push.example.com:8443");
  }
  for (const std::string& host : webpush.private_hosts) {
    const bool is_one = host.find_first_of("*:[]") == std::string::npos;
    checker.require(is_host_entry(host) && is_one, "webpush.private_hosts",
                    fmt::format("'{}' is not one host", host),
                    "write it like push.internal, without a wildcard and a port");
  }
  checker.require_file(webpush.key_file, "webpush.key_file");
  checker.require_file(webpush.ca_file, "webpush.ca_file");
}

/// An origin as browsers send it: scheme, host and perhaps a port, in lower case, nothing after
/// them.
bool is_origin(std::string_view text) {
  const std::size_t host = text.find("://");
  const bool has_scheme = text.starts_with("https://") || text.starts_with("http://");
  return has_scheme && host + 3 < text.size() &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(host) + 3, text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  std::string_view(".-:[]_").find(c) != std::string_view::npos;
         });
}

void check_http(const Http& http, Checker& checker) {
  checker.require(http.jwks_url.empty() || http.jwks_file.empty(), "http.jwks_file",
                  "is set beside http.jwks_url", "keys come from one place: remove one of them");
  checker.require_file(http.jwks_file, "http.jwks_file");
  checker.require(http.jwks_ca_file.empty() || http.jwks_url.scheme() == "https",
                  "http.jwks_ca_file", "has no effect: http.jwks_url is not https://",
                  "use https://, or remove this");
  checker.require_file(http.jwks_ca_file, "http.jwks_ca_file");
  constexpr std::string_view kTogether =
      "any token of any service with those keys would be taken: name whose, and for whom";
  checker.require(!http.has_keys() || !http.jwt_issuer.empty(), "http.jwt_issuer", "is missing",
                  kTogether);
  checker.require(!http.has_keys() || !http.jwt_audience.empty(), "http.jwt_audience", "is missing",
                  kTogether);
  for (const std::string& origin : http.cors_origins) {
    checker.require(is_origin(origin), "http.cors_origins",
                    fmt::format("'{}' is not an origin", origin),
                    "write it like https://app.example.com, without a path; there is no wildcard");
  }
}

void check_grpc(const Grpc& grpc, Checker& checker) {
  constexpr std::string_view kTogether =
      "grpc.cert_file, key_file and ca_file belong together: set all three, or none for no TLS";
  if (grpc.has_certificates() || !grpc.key_file.empty() || !grpc.ca_file.empty()) {
    checker.require(!grpc.cert_file.empty(), "grpc.cert_file", "is missing", kTogether);
    checker.require(!grpc.key_file.empty(), "grpc.key_file", "is missing", kTogether);
    checker.require(!grpc.ca_file.empty(), "grpc.ca_file", "is missing", kTogether);
    checker.require(!grpc.forwarded_identity, "grpc.forwarded_identity",
                    "is set beside grpc.cert_file",
                    "who a caller is comes from one place: remove one of them");
  }
  checker.require_file(grpc.cert_file, "grpc.cert_file");
  checker.require_file(grpc.key_file, "grpc.key_file");
  checker.require_file(grpc.ca_file, "grpc.ca_file");
}

/// What is said of callers takes effect once it is known who calls.
void check_callers(const Config& c, Checker& checker) {
  constexpr std::string_view kNobody = "has no effect: callers do not prove who they are";
  constexpr std::string_view kProve = "set grpc.cert_file, or grpc.forwarded_identity";
  for (const std::string& caller : c.decision.critical_callers) {
    checker.require(base::is_spiffe_id(caller), "decision.critical_callers",
                    fmt::format("'{}' is not a SPIFFE id", caller),
                    "write it like spiffe://whispr.example/ns/default/sa/auth-service");
  }
  const auto limits_types_of = [&types = c.limits.types](std::string_view subject) {
    return std::any_of(types.begin(), types.end(),
                       [subject](const TypeRate& one) { return one.subject == subject; });
  };
  if (c.grpc.forwarded_identity) {
    constexpr std::string_view kOne =
        "has no effect with grpc.forwarded_identity: all callers have the proxy's address";
    checker.require(c.limits.ip.empty(), "limits.ip", kOne, "use limits.caller");
    checker.require(!limits_types_of("ip"), "limits.types", kOne, "use limits of the caller");
  }
  if (c.grpc.knows_callers()) return;
  checker.require(c.decision.critical_callers.empty(), "decision.critical_callers", kNobody,
                  kProve);
  checker.require(c.limits.caller.empty(), "limits.caller", kNobody, kProve);
  checker.require(!limits_types_of("caller"), "limits.types", kNobody, kProve);
}

void check_flows(const Config& c, Checker& checker) {
  checker.require(c.preview.summary_body.find("{count}") != std::string::npos,
                  "preview.summary_body", "lacks {count}",
                  "say where the number goes, as in \"{count} new messages\"");
  checker.require(c.accept.batch_max <= c.accept.waiting_max, "accept.batch_max",
                  "is more than accept.waiting_max, so a batch could never fill",
                  "raise accept.waiting_max or lower this");
  checker.require(c.deliver.lease_max <= c.deliver.in_flight_max, "deliver.lease_max",
                  "is more than deliver.in_flight_max, so a lease could not be worked on",
                  "raise deliver.in_flight_max or lower this");
  checker.require(c.deliver.retry_max == 0 || !c.deliver.retry_delays.empty(),
                  "deliver.retry_delays", "is empty, but deliver.retry_max is not 0",
                  "give at least one delay, or set deliver.retry_max to 0");
  checker.require(c.recover.heartbeat_timeout >= 3 * c.recover.heartbeat_interval,
                  "recover.heartbeat_timeout", "is less than 3 times recover.heartbeat_interval",
                  "one lost heartbeat must not look like a dead node");
  checker.require(c.shutdown.timeout >= c.apns.request_timeout, "shutdown.timeout",
                  "is shorter than apns.request_timeout",
                  "a request under way could not end before the process does");
  checker.require(!c.fcm.configured() || c.shutdown.timeout >= c.fcm.request_timeout,
                  "shutdown.timeout", "is shorter than fcm.request_timeout",
                  "a request under way could not end before the process does");
  checker.require(!c.webpush.configured() || c.shutdown.timeout >= c.webpush.request_timeout,
                  "shutdown.timeout", "is shorter than webpush.request_timeout",
                  "a request under way could not end before the process does");
}

bool has_a_window_twice(const std::vector<Rate>& rates) {
  std::set<Duration> windows;
  return !std::all_of(rates.begin(), rates.end(),
                      [&](const Rate& rate) { return windows.insert(rate.window).second; });
}

void check_limits(const Limits& limits, Checker& checker) {
  constexpr std::string_view kTwice = "has two rates for one window";
  constexpr std::string_view kKeep = "keep the lower one";
  checker.require(!has_a_window_twice(limits.user), "limits.user", kTwice, kKeep);
  checker.require(!has_a_window_twice(limits.conversation), "limits.conversation", kTwice, kKeep);
  checker.require(!has_a_window_twice(limits.device), "limits.device", kTwice, kKeep);
  checker.require(!has_a_window_twice(limits.caller), "limits.caller", kTwice, kKeep);
  checker.require(!has_a_window_twice(limits.ip), "limits.ip", kTwice, kKeep);
  checker.require(!has_a_window_twice(limits.rest_user), "limits.rest_user", kTwice, kKeep);
  checker.require(!has_a_window_twice(limits.rest_ip), "limits.rest_ip", kTwice, kKeep);
  constexpr std::size_t kTypesMax = 50;
  checker.require(limits.types.size() <= kTypesMax, "limits.types",
                  fmt::format("has more than {} entries", kTypesMax), "each costs a counter");
  std::map<std::pair<std::string, std::string>, std::vector<Rate>> by_type;
  for (const TypeRate& one : limits.types) by_type[{one.type, one.subject}].push_back(one.rate);
  for (const auto& [whose, rates] : by_type) {
    checker.require(
        !has_a_window_twice(rates), "limits.types",
        fmt::format("has two rates for one window of '{} {}'", whose.first, whose.second), kKeep);
  }
}

}  // namespace

Problems check(const Config& c) {
  Checker checker(c);
  const auto clash = [](const Address& a, const Address& b) { return a == b && a.port != 0; };
  checker.require(!clash(c.admin.listen, c.grpc.listen), "admin.listen",
                  "is the same address as grpc.listen", "give each its own port");
  checker.require(!clash(c.http.listen, c.grpc.listen), "http.listen",
                  "is the same address as grpc.listen", "give each its own port");
  checker.require(!clash(c.http.listen, c.admin.listen), "http.listen",
                  "is the same address as admin.listen", "give each its own port");
  const bool has_tls = c.redis.url.scheme() == "rediss" || c.redis.cache_url.scheme() == "rediss";
  checker.require(c.redis.ca_file.empty() || has_tls, "redis.ca_file",
                  "has no effect: redis.url is not rediss://", "use rediss://, or remove this");
  checker.require_file(c.redis.ca_file, "redis.ca_file");
  check_grpc(c.grpc, checker);
  check_callers(c, checker);
  check_http(c.http, checker);
  check_apns(c.apns, checker);
  check_fcm(c.fcm, checker);
  check_webpush(c.webpush, checker);
  check_flows(c, checker);
  check_limits(c.limits, checker);
  return std::move(checker.problems);
}

}  // namespace notify::config
