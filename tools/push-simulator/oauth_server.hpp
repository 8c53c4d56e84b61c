#pragma once
// Google's token server: takes a service account's signed assertion and hands out access tokens,
// which FCM then asks it about.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/rng.hpp"
#include "push-simulator/openssl_handles.hpp"

namespace notify::simulator {

enum class BearerVerdict : std::uint8_t { valid, missing, invalid, expired };

/// The service account that the simulator makes up, but for its key.
struct ServiceAccountNames {
  std::string project_id;
  std::string client_email;
  std::string key_id;
  std::string token_uri;  ///< what `aud` must be
};

/// Judges `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=<jwt>`: RS256, kid,
/// iss, aud, scope, iat (at most five minutes ahead), exp (at most one hour after iat, not passed).
/// Source:    Google, "Using OAuth 2.0 for server to server applications"; RFC 7523; RFC 6749 §5.
/// Threading: one thread.
/// Lifetime:  `rng` outlives this.
/// Limits:    1,000 access tokens are remembered; more than that and all are forgotten.
class OauthServer {
 public:
  static constexpr std::chrono::seconds kClockSkew{300};
  static constexpr std::chrono::seconds kAssertionLifetime{3600};

  OauthServer(std::chrono::seconds token_lifetime, base::Rng& rng)
      : token_lifetime_(token_lifetime), rng_(rng) {}

  /// Before the first request. `key` is RSA.
  void set_account(ServiceAccountNames names, KeyHandle key) {
    names_ = std::move(names);
    key_ = std::move(key);
  }
  [[nodiscard]] const ServiceAccountNames& names() const { return names_; }

  /// The JSON key file of the account.
  /// Errors: internal if OpenSSL cannot write the key.
  [[nodiscard]] base::Expected<std::string> key_file() const;

  struct Answer {
    int status = 200;
    std::string_view error;  ///< static text, as `invalid_grant`; empty if granted
    std::string body;
  };
  [[nodiscard]] Answer grant(std::string_view form, base::WallTime now);

  /// Judges `authorization: Bearer <token>`.
  [[nodiscard]] BearerVerdict check(std::string_view authorization, base::WallTime now) const;

 private:
  static constexpr std::size_t kRemembered = 1000;

  /// The fault of an assertion, in words; nullptr if there is none.
  [[nodiscard]] const char* fault_of(std::string_view jwt, base::WallTime now) const;
  [[nodiscard]] bool signature_matches(std::string_view text, std::string_view signature) const;

  std::chrono::seconds token_lifetime_;
  base::Rng& rng_;
  ServiceAccountNames names_;
  KeyHandle key_;
  std::unordered_map<std::string, base::WallTime> expiries_;
};

/// Reads the RSA key of a PEM file; if the file does not exist one of 2,048 bits is made there.
/// Errors: invalid if the file holds something else.
[[nodiscard]] base::Expected<KeyHandle> load_or_make_rsa_key(const std::filesystem::path& path);

}  // namespace notify::simulator
