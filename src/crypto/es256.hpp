#pragma once
// JSON Web Tokens signed with ECDSA P-256 and SHA-256, as Apple's provider tokens are.
// Source: RFC 7515 (JWS compact serialization), RFC 7518 §3.4 (ES256: raw R||S, not DER).

#include <memory>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "base/secret.hpp"

namespace notify::crypto {

/// Threading: sign() may be called from any thread.
class Es256Key {
 public:
  /// Reads a private key in PEM (PKCS#8, as Apple's .p8 files are, or SEC 1).
  /// Errors: Errc::invalid if it is not a P-256 private key; the text never quotes it.
  [[nodiscard]] static base::Expected<Es256Key> from_pem(const base::Secret& pem);

  Es256Key(Es256Key&&) noexcept;
  Es256Key& operator=(Es256Key&&) noexcept;
  ~Es256Key();

  /// base64url(header).base64url(claims).base64url(signature).
  [[nodiscard]] base::Expected<std::string> sign_jwt(std::string_view header_json,
                                                     std::string_view claims_json) const;

 private:
  struct Impl;
  explicit Es256Key(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace notify::crypto
