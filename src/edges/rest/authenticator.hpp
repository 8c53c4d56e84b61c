#pragma once
// Who an end user is: the subject of the bearer token that comes with each request (RFC 6750 §2.1).

#include <string_view>

#include "base/async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "base/strong_id.hpp"
#include "clients/jwks.hpp"
#include "crypto/jwt.hpp"
#include "edges/rest/forgeries.hpp"
#include "flows/refusal.hpp"

namespace notify::edges::rest {

/// The cheap checks come first: form and claims, then the key, and the signature last.
/// Threading: the executor of `keys`.
/// Lifetime:  `keys` and `clock` outlive this.
/// Limits:    wrong signatures from one address, see Forgeries.
class Authenticator {
 public:
  /// `keys` is nullptr if none are configured: then nobody gets in.
  Authenticator(clients::Jwks* keys, crypto::JwtPolicy policy, const base::Clock& clock)
      : keys_(keys), policy_(std::move(policy)), clock_(clock) {}

  /// `authorization`: the header as it came, empty if there is none. `address`: where it came from.
  /// Errors: unauthenticated, with an empty detail if there is no bearer token at all, else with
  /// one
  ///         for the caller; unavailable and timed_out if the keys cannot be had; overloaded if the
  ///         address has sent too many wrong signatures.
  [[nodiscard]] async::Task<flows::Answer<base::UserId>> user_of(std::string_view authorization,
                                                                 std::string_view address,
                                                                 base::Deadline deadline);

 private:
  clients::Jwks* keys_;
  crypto::JwtPolicy policy_;
  const base::Clock& clock_;
  Forgeries forgeries_;
};

}  // namespace notify::edges::rest
