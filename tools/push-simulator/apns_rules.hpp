#pragma once
// What Apple answers to one request: pure, no socket, no clock of its own.

#include <simdjson.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "push-simulator/http_request.hpp"
#include "push-simulator/provider_token.hpp"

namespace notify::simulator {

enum class PushEnvironment : std::uint8_t { any, production, sandbox };

/// What Apple knows of a device token.
struct PushTarget {
  std::string app_id;
  PushEnvironment environment = PushEnvironment::any;
  std::optional<base::WallTime> dead_since;  ///< the app was removed from the device
};

/// The port of the rules to the registry. `token` is lower-case hex.
class PushTargets {
 public:
  virtual ~PushTargets() = default;
  [[nodiscard]] virtual std::optional<PushTarget> find_target(std::string_view token) const = 0;
};

/// The request's headers and parts by name. Lifetime: views into the HttpRequest.
struct ApnsHead {
  std::string_view token;  ///< from the path, as sent; empty if the path is another one
  std::string_view authorization;
  std::string_view apns_id;
  std::string_view topic;
  std::string_view push_type;
  std::string_view priority;
  std::string_view expiration;
  std::string_view collapse_id;
  bool repeated_header = false;
};
[[nodiscard]] ApnsHead read_head(const HttpRequest& request);

struct ApnsVerdict {
  int status = 200;
  std::string_view reason;                  ///< static text; empty if accepted
  std::optional<base::WallTime> timestamp;  ///< with 410: when the token was found dead
  bool provider_token_valid = false;
  bool payload_is_json = false;
  std::string_view notification_id;  ///< the payload's custom key; valid until the next judge()
};

struct ApnsSettings {
  std::vector<std::string> topics;  ///< bundle ids that the key may push to
  PushEnvironment environment = PushEnvironment::any;
};

/// Applies Apple's rules in a fixed order; the first that fails makes the answer.
/// Source:    Apple, "Sending notification requests to APNs" and "Handling notification responses
///            from APNs". What Apple leaves open is listed in README.md.
/// Lifetime:  `tokens` and `targets` outlive this.
/// Threading: one thread.
class ApnsRules {
 public:
  static constexpr std::size_t kMaxPayload = 4096;
  static constexpr std::size_t kMaxVoipPayload = 5120;
  static constexpr std::size_t kMaxCollapseId = 64;

  ApnsRules(ApnsSettings settings, TokenChecker& tokens, const PushTargets& targets)
      : settings_(std::move(settings)), tokens_(tokens), targets_(targets) {}

  [[nodiscard]] ApnsVerdict judge(const HttpRequest& request, const ApnsHead& head,
                                  base::WallTime now);

 private:
  void check(const HttpRequest& request, const ApnsHead& head, base::WallTime now,
             ApnsVerdict& verdict);
  [[nodiscard]] std::string_view check_topic(const ApnsHead& head) const;
  void check_target(const ApnsHead& head, ApnsVerdict& verdict);
  void read_payload(std::string_view body, ApnsVerdict& verdict);

  ApnsSettings settings_;
  TokenChecker& tokens_;
  const PushTargets& targets_;
  simdjson::dom::parser parser_;
  std::string padded_;
  std::string lower_token_;
};

}  // namespace notify::simulator
