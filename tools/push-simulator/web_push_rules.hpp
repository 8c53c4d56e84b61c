#pragma once
// A push service for browsers answers one request: as strict as the strictest vendor. No socket, no
// clock of its own.

#include <simdjson.h>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "push-simulator/http_request.hpp"
#include "push-simulator/registry.hpp"
#include "push-simulator/subscriptions.hpp"

namespace notify::simulator {

/// Lifetime: views into the HttpRequest.
struct WebPushHead {
  std::string_view id;  ///< of the subscription, from the path; empty if the path is another one
  std::string_view authorization;
  std::string_view ttl;
  std::string_view urgency;
  std::string_view topic;
  std::string_view content_encoding;
  bool has_old_headers = false;  ///< of the draft before RFC 8291: Encryption, Crypto-Key
  bool repeated_header = false;
};
[[nodiscard]] WebPushHead read_web_push_head(const HttpRequest& request);

/// Lifetime: views are valid until the next judge().
struct WebPushVerdict {
  int status = 201;
  std::string_view reason;   ///< static text; empty if accepted
  std::string_view payload;  ///< decrypted; empty if it was not, or could not be
  std::string_view notification_id;
  bool payload_is_json = false;
};

/// Applies RFC 8030, 8291 and 8292 in a fixed order; the first rule that fails makes the answer.
/// Source:    the RFCs; Apple's reason names where Apple has one, else names alike.
/// Threading: one thread.
/// Lifetime:  `subscriptions` and `registry` outlive this.
/// Limits:    64 tokens of senders are remembered; more than that and all are forgotten.
class WebPushRules {
 public:
  static constexpr std::size_t kMaxBody = 4096;
  static constexpr std::size_t kMaxTopic = 32;

  /// `decrypt_every`: one message of so many is decrypted (1: all), for load.
  WebPushRules(const Subscriptions& subscriptions, const Registry& registry,
               std::uint32_t decrypt_every)
      : subscriptions_(subscriptions), registry_(registry), decrypt_every_(decrypt_every) {}

  [[nodiscard]] WebPushVerdict judge(const HttpRequest& request, const WebPushHead& head,
                                     base::WallTime now);

 private:
  struct Sender {
    std::string key;  ///< base64url, without padding
    std::string point;
    std::string audience;
    std::chrono::seconds expires{0};
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  void check(const HttpRequest& request, const WebPushHead& head, base::WallTime now,
             WebPushVerdict& verdict);
  [[nodiscard]] const Sender* sender_of(std::string_view authorization);
  [[nodiscard]] std::string_view check_sender(const Sender& sender, base::WallTime now) const;
  void check_subscription(const Subscription& subscription, const Sender& sender,
                          WebPushVerdict& verdict) const;
  void decrypt(const HttpRequest& request, const BrowserKeys& keys, WebPushVerdict& verdict);

  const Subscriptions& subscriptions_;
  const Registry& registry_;
  std::uint32_t decrypt_every_;
  std::uint32_t until_decrypted_ = 1;
  std::unordered_map<std::string, Sender, Hash, std::equal_to<>> senders_;
  simdjson::dom::parser parser_;
  std::string payload_;  ///< with simdjson's padding
};

}  // namespace notify::simulator
