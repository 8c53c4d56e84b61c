#include "rules/web_push_subscription.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

namespace notify::rules {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

constexpr std::string_view kScheme = "https://";
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::size_t kHostMax = 253;  // RFC 1035 §2.3.4

struct HostAndPort {
  std::string host;
  std::uint16_t port = kHttpsPort;
};

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kHostMax && text.front() != '.' && text.back() != '.' &&
         text.find("..") == text.npos && std::all_of(text.begin(), text.end(), is_host_character);
}

bool is_ipv6_text(std::string_view text) {
  return text.size() >= 2 && text.find(':') != text.npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
         });
}

/// `host[:port]` in lower case; nullopt if it has another form.
std::optional<HostAndPort> parse_authority(std::string_view text) {
  HostAndPort result;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos || !is_ipv6_text(text.substr(1, end - 1))) return std::nullopt;
    result.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (!is_host_name(text.substr(0, end))) return std::nullopt;
    result.host = text.substr(0, end);
    rest = text.substr(end);
  }
  if (rest.empty()) return result;
  if (rest.front() != ':') return std::nullopt;
  const char* const end = rest.data() + rest.size();
  const auto [stopped, error] = std::from_chars(rest.data() + 1, end, result.port);
  if (error != std::errc() || stopped != end || result.port == 0) return std::nullopt;
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// A path goes into a header: only what RFC 3986 allows there.
bool is_path_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '#' && c != '\\'; });
}

Expected<WebPushSubscription> read_endpoint(std::string_view endpoint) {
  if (endpoint.size() > kEndpointMax) {
    return fail(Errc::invalid, "endpoint is over " + std::to_string(kEndpointMax) + " bytes");
  }
  if (!endpoint.starts_with(kScheme)) {
    return fail(Errc::invalid, "endpoint does not begin with https://");
  }
  endpoint.remove_prefix(kScheme.size());
  const std::size_t end = std::min(endpoint.find_first_of("/?#\\"), endpoint.size());
  const std::string authority = lower(endpoint.substr(0, end));
  if (authority.find('@') != authority.npos) {
    return fail(Errc::invalid, "endpoint holds a user name");
  }
  auto parsed = parse_authority(authority);
  if (!parsed) return fail(Errc::invalid, "endpoint has no valid host and port");
  WebPushSubscription subscription;
  subscription.path = endpoint.substr(end);
  if (!subscription.path.starts_with('/') || !is_path_text(subscription.path)) {
    return fail(Errc::invalid, "endpoint has no valid path");
  }
  subscription.host = std::move(parsed->host);
  subscription.port = parsed->port;
  const bool is_ipv6 = subscription.host.find(':') != std::string::npos;
  subscription.origin.append(kScheme);
  subscription.origin += is_ipv6 ? '[' + subscription.host + ']' : subscription.host;
  if (subscription.port != kHttpsPort) {
    subscription.origin += ':' + std::to_string(subscription.port);
  }
  return subscription;
}

}  // namespace

bool WebPushSubscription::is_address() const {
  if (host.find(':') != std::string::npos) return true;
  // A host that ends with a number is an address to some resolvers, in whatever form: 127.1,
  // 0x7f000001 (WHATWG URL, "ends in a number").
  const std::size_t dot = host.rfind('.');
  const std::string_view last =
      std::string_view(host).substr(dot == std::string::npos ? 0 : dot + 1);
  const bool is_decimal =
      std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_decimal || last.starts_with("0x");
}

Expected<WebPushSubscription> parse_subscription(const base::Secret& token) {
  if (token.size() > kSubscriptionMax) {
    return fail(Errc::invalid,
                "the subscription is over " + std::to_string(kSubscriptionMax) + " bytes");
  }
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  const std::string_view json = token.reveal();
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
    return fail(Errc::invalid, "the subscription is not a JSON object");
  }
  std::string_view endpoint;
  if (root["endpoint"].get(endpoint) != simdjson::SUCCESS) {
    return fail(Errc::invalid, "the subscription has no endpoint");
  }
  auto subscription = read_endpoint(endpoint);
  if (!subscription) return subscription;
  std::string_view p256dh;
  std::string_view auth;
  if (root["keys"]["p256dh"].get(p256dh) != simdjson::SUCCESS ||
      root["keys"]["auth"].get(auth) != simdjson::SUCCESS) {
    return fail(Errc::invalid, "the subscription has no keys.p256dh and keys.auth");
  }
  subscription->p256dh = p256dh;
  subscription->auth = auth;
  std::string_view vapid_key;
  if (root["vapid_key"].get(vapid_key) == simdjson::SUCCESS) subscription->vapid_key = vapid_key;
  return subscription;
}

std::optional<std::string> WebPushHosts::flaw_of(const WebPushSubscription& subscription) const {
  if (subscription.is_address() && !may_be_private(subscription.host)) {
    return "its endpoint names an address: only hosts of webpush.private_hosts may";
  }
  const auto matches = [&](const std::string& entry) {
    const bool is_suffix = entry.starts_with("*.");
    const auto parsed = parse_authority(lower(is_suffix ? entry.substr(2) : entry));
    if (!parsed || parsed->port != subscription.port) return false;
    if (!is_suffix) return parsed->host == subscription.host;
    return subscription.host.size() > parsed->host.size() + 1 &&
           subscription.host.ends_with('.' + parsed->host);
  };
  if (std::any_of(options_.allowed.begin(), options_.allowed.end(), matches)) return std::nullopt;
  return "the host or port of its endpoint is not in webpush.allowed_hosts";
}

bool WebPushHosts::may_be_private(std::string_view host) const {
  const auto& hosts = options_.with_private_addresses;
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const std::string& entry) { return lower(entry) == host; });
}

bool WebPushHosts::is_entry(std::string_view text) {
  return parse_authority(lower(text.starts_with("*.") ? text.substr(2) : text)).has_value();
}

}  // namespace notify::rules
