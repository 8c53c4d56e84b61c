#pragma once
// ECDSA P-256 with SHA-256: signs JSON Web Tokens, as Apple's provider tokens are, and verifies the
// signatures of those that end users bring.
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

  /// The public key as an uncompressed point in 65 bytes (SEC 1 §2.3.3).
  /// Errors: Errc::internal if OpenSSL cannot read it.
  [[nodiscard]] base::Expected<std::string> public_point() const;

 private:
  struct Impl;
  explicit Es256Key(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Copies share one key.
/// Threading: verifies() may be called from any thread.
class Es256PublicKey {
 public:
  /// `x` and `y` are big-endian, 32 bytes each, as a JWK has them (RFC 7518 §6.2.1).
  /// Errors: Errc::invalid if they have another length or are no point of the curve.
  [[nodiscard]] static base::Expected<Es256PublicKey> from_coordinates(std::string_view x,
                                                                       std::string_view y);

  /// Whether `signature`, R||S in exactly 64 bytes, is this key's of `text`.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

 private:
  struct Impl;
  explicit Es256PublicKey(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace notify::crypto
