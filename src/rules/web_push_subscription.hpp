#pragma once
// The token of a browser: the JSON of PushSubscription.toJSON(). Its endpoint comes from a user, so
// it is checked before anything is sent there: an attacker may name any host.
// Source: W3C Push API (PushSubscription), RFC 8030 §8 (endpoints), RFC 6454 (origins).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "base/secret.hpp"

namespace notify::rules {

inline constexpr std::size_t kEndpointMax = 2048;
inline constexpr std::size_t kSubscriptionMax = 4096;

/// The endpoint is a capability, as a token is: it belongs into no log.
struct WebPushSubscription {
  std::string origin;  ///< https://host[:port], in lower case, without the port 443
  std::string host;    ///< in lower case; an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string path;       ///< with the query
  std::string p256dh;     ///< base64url, not checked here
  std::string auth;       ///< base64url, not checked here
  std::string vapid_key;  ///< the key that it was made with, base64url; empty: not said
  [[nodiscard]] bool is_address() const;  ///< the host is an IP address, not a name
};

/// Reads `{"endpoint": ..., "keys": {"p256dh": ..., "auth": ...}}`; other members may be there, and
/// `vapid_key` is read.
/// Errors: Errc::invalid; the text says what is wrong and quotes nothing of the token.
/// Limits: kSubscriptionMax bytes, kEndpointMax of them in the endpoint.
[[nodiscard]] base::Expected<WebPushSubscription> parse_subscription(const base::Secret& token);

/// The hosts of push services that are asked. An entry is `host`, or `*.host` for every name below
/// it; with `:port` it stands for that port, without one for 443.
class WebPushHosts {
 public:
  struct Options {
    std::vector<std::string> allowed;
    /// Names or addresses, without a port: they may have private addresses.
    std::vector<std::string> with_private_addresses;
  };
  explicit WebPushHosts(Options options) : options_(std::move(options)) {}

  /// Why nothing is sent to this endpoint, in words for an operator; nullopt: it may be asked.
  [[nodiscard]] std::optional<std::string> flaw_of(const WebPushSubscription& subscription) const;
  [[nodiscard]] bool may_be_private(std::string_view host) const;

  /// Whether an entry of `allowed` has the form above.
  [[nodiscard]] static bool is_entry(std::string_view text);

 private:
  Options options_;
};

}  // namespace notify::rules
