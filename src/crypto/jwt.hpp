#pragma once
// Whether a token that an end user brings is what it says: its form, its signature, its claims. No
// I/O and no clock: where keys come from and what time it is, the caller knows.
//
// The algorithm is ours, not the token's: only ES256 is ever computed, so that neither "none" nor a
// public key used as an HMAC secret can get in. Keys named or carried by the token itself (`jku`,
// `x5u`, `jwk`) are not looked at.
// Source: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best current practices), RFC 9068 (`at+jwt`).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/strong_id.hpp"
#include "crypto/es256.hpp"

namespace notify::crypto {

/// Whose tokens are taken, and for whom they must be.
struct JwtPolicy {
  std::string issuer;                        ///< `iss`, exactly
  std::string audience;                      ///< `aud`, or one of them
  std::chrono::milliseconds leeway{30'000};  ///< between the issuer's clock and ours
};

/// A token whose form is right and of which nothing is proved yet.
class Jwt {
 public:
  /// Errors: Errc::unauthenticated; the detail quotes nothing of the token.
  /// Limits: 8 KiB.
  [[nodiscard]] static base::Expected<Jwt> parse(std::string_view compact);

  /// The name of the key that signed it.
  [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }

  /// Whether the claims hold at `now`: whoever wrote them. This proves nothing; it spares the check
  /// of the signature of a token that is not for us or is over.
  /// Errors: as verify().
  [[nodiscard]] base::Expected<void> check_claims(const JwtPolicy& policy,
                                                  base::WallTime now) const;

  /// The user it speaks for, once `key` has signed it and the claims hold at `now`.
  /// Errors: Errc::unauthenticated; the detail quotes nothing of the token.
  [[nodiscard]] base::Expected<base::UserId> verify(const Es256PublicKey& key,
                                                    const JwtPolicy& policy,
                                                    base::WallTime now) const;

 private:
  std::optional<std::string> kid_;
  std::string signed_text_;  // header.payload, as it came
  std::string signature_;
  std::string claims_;  // JSON
};

}  // namespace notify::crypto
