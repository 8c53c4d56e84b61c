#pragma once
// RSA with SHA-256: signs the JSON Web Tokens with which a Google service account asks for access.
// Source: RFC 7515 (JWS compact serialization), RFC 7518 §3.3 (RS256: RSASSA-PKCS1-v1_5).

#include <memory>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "base/secret.hpp"

namespace notify::crypto {

/// Threading: sign_jwt() may be called from any thread.
class Rs256Key {
 public:
  /// Reads a private key in PEM (PKCS#8, as a service account's JSON has it, or PKCS#1).
  /// Errors: Errc::invalid if it is not an RSA private key, has a pass phrase, or has less than
  ///         2,048 bits (RFC 7518 §3.3 forbids shorter ones); the text never quotes it.
  [[nodiscard]] static base::Expected<Rs256Key> from_pem(const base::Secret& pem);

  Rs256Key(Rs256Key&&) noexcept;
  Rs256Key& operator=(Rs256Key&&) noexcept;
  ~Rs256Key();

  /// base64url(header).base64url(claims).base64url(signature). About 1 ms for 2,048 bits.
  /// Errors: Errc::internal if OpenSSL cannot sign.
  [[nodiscard]] base::Expected<std::string> sign_jwt(std::string_view header_json,
                                                     std::string_view claims_json) const;

 private:
  struct Impl;
  explicit Rs256Key(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify::crypto
