#pragma once
// The token that proves to APNs who is sending.
// Source: Apple, "Establishing a token-based connection to APNs": ES256, `kid`, `iss`, `iat`; to be
//         renewed no more often than every 20 minutes and at least every 60.

#include <string>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "crypto/es256.hpp"

namespace notify::providers {

struct ApnsCredentials {
  std::string key_id;   ///< ten characters
  std::string team_id;  ///< ten characters
};

/// Caches the signed token. `iat` is the start of the current 30-minute slot of the wall clock: all
/// nodes make the same claims at the same time, as Apple counts updates per team and not per node.
/// A token is thus at most 30 minutes old.
/// Threading: one thread; every worker has its own.
/// Lifetime:  `clock` outlives this.
class ProviderToken {
 public:
  ProviderToken(crypto::Es256Key key, ApnsCredentials credentials, const base::Clock& clock);

  /// `bearer <jwt>`.
  /// Errors: Errc::internal if OpenSSL cannot sign.
  [[nodiscard]] base::Expected<base::Secret> authorization();

 private:
  crypto::Es256Key key_;
  std::string header_json_;
  std::string team_id_;
  const base::Clock& clock_;
  std::chrono::seconds issued_at_{-1};
  base::Secret authorization_;
};

}  // namespace notify::providers
