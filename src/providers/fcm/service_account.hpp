#pragma once
// The JSON file with which a service account of Google Cloud proves who it is.
// Source: Google, "Create and delete service account keys"; RFC 7523 (JWT bearer grants).

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/secret.hpp"
#include "crypto/rs256.hpp"

namespace notify::providers {

/// An access token of this scope allows pushes and nothing else.
inline constexpr std::string_view kFcmScope = "https://www.googleapis.com/auth/firebase.messaging";

/// Threading: assertion() may be called from any thread.
class ServiceAccount {
 public:
  /// Reads `{"type":"service_account","client_email":..,"private_key":..,"private_key_id":..,
  /// "token_uri":..,"project_id":..}`; other fields are not looked at.
  /// Errors: Errc::invalid; the detail names the field and quotes nothing of it.
  [[nodiscard]] static base::Expected<ServiceAccount> parse(std::string_view json);

  [[nodiscard]] const std::string& project_id() const { return project_id_; }
  [[nodiscard]] const std::string& token_uri() const { return token_uri_; }

  /// The signed JWT that is exchanged for an access token. It is good for an hour, the longest that
  /// Google takes.
  /// Source: Google, "Using OAuth 2.0 for server to server applications".
  [[nodiscard]] base::Expected<std::string> assertion(base::WallTime now) const;

 private:
  explicit ServiceAccount(crypto::Rs256Key key) : key_(std::move(key)) {}

  crypto::Rs256Key key_;
  std::string client_email_;
  std::string key_id_;
  std::string token_uri_;
  std::string project_id_;
};

}  // namespace notify::providers
