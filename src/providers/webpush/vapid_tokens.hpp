#pragma once
// The tokens that prove to push services who is sending: one for each origin, signed for hours. A
// push service checks a token's signature once and remembers it, so the same token is sent as long
// as it is good.
// Source: RFC 8292 (VAPID).

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/secret.hpp"
#include "crypto/es256.hpp"

namespace notify::providers {

/// Threading: one thread; every worker has its own.
/// Lifetime:  `clock` outlives this.
/// Limits:    kOriginsMax tokens; over that the oldest is forgotten.
class VapidTokens {
 public:
  /// RFC 8292 §2 allows 24 hours; half of it leaves room for clocks that are wrong.
  static constexpr std::chrono::seconds kLifetime = std::chrono::hours(12);
  static constexpr std::chrono::seconds kRenewedBefore = std::chrono::hours(2);
  static constexpr std::size_t kOriginsMax = 1'000;

  /// `subject` is a mailto: or https: URI.
  /// Errors: Errc::internal if OpenSSL cannot read the key.
  [[nodiscard]] static base::Expected<VapidTokens> create(crypto::Es256Key key, std::string subject,
                                                          const base::Clock& clock);

  /// `vapid t=<jwt>, k=<public key>`, for the header `authorization`.
  /// Errors: Errc::internal if OpenSSL cannot sign.
  [[nodiscard]] base::Expected<base::Secret> authorization(std::string_view origin);

  /// base64url of the uncompressed point: the `applicationServerKey` that pages subscribe with.
  [[nodiscard]] const std::string& public_key() const { return public_key_; }

 private:
  struct Token {
    base::Secret authorization;
    std::chrono::seconds expires{0};  ///< since 1970
  };

  VapidTokens(crypto::Es256Key key, std::string public_key, std::string subject,
              const base::Clock& clock);
  void make_room();

  crypto::Es256Key key_;
  std::string public_key_;
  std::string subject_;
  const base::Clock& clock_;
  std::map<std::string, Token, std::less<>> tokens_;
};

}  // namespace notify::providers
