#include "providers/webpush/vapid_tokens.hpp"

#include <algorithm>
#include <utility>

#include "base/json_object.hpp"
#include "base/text.hpp"

namespace notify::providers {

VapidTokens::VapidTokens(crypto::Es256Key key, std::string public_key, std::string subject,
                         const base::Clock& clock)
    : key_(std::move(key)),
      public_key_(std::move(public_key)),
      subject_(std::move(subject)),
      clock_(clock) {}

base::Expected<VapidTokens> VapidTokens::create(crypto::Es256Key key, std::string subject,
                                                const base::Clock& clock) {
  const auto point = key.public_point();
  if (!point) return base::fail(point.error());
  return VapidTokens(std::move(key), base::base64url_encode(*point), std::move(subject), clock);
}

base::Expected<base::Secret> VapidTokens::authorization(std::string_view origin) {
  using std::chrono::duration_cast;
  const auto now = duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch());
  const auto known = tokens_.find(origin);
  if (known != tokens_.end()) {
    const std::chrono::seconds left = known->second.expires - now;
    // More than a lifetime is left after the clock went back: the token would be refused.
    if (left > kRenewedBefore && left <= kLifetime) return known->second.authorization;
  }
  const std::chrono::seconds expires = now + kLifetime;
  base::JsonObject claims(256);
  claims.text("aud", origin).number("exp", expires.count()).text("sub", subject_);
  const auto jwt = key_.sign_jwt(R"({"typ":"JWT","alg":"ES256"})", std::move(claims).finish());
  if (!jwt) return base::fail(jwt.error());
  if (known == tokens_.end()) make_room();
  Token token{base::Secret("vapid t=" + *jwt + ", k=" + public_key_), expires};
  return tokens_.insert_or_assign(std::string(origin), std::move(token))
      .first->second.authorization;
}

void VapidTokens::make_room() {
  if (tokens_.size() < kOriginsMax) return;
  tokens_.erase(std::min_element(tokens_.begin(), tokens_.end(), [](const auto& a, const auto& b) {
    return a.second.expires < b.second.expires;
  }));
}

}  // namespace notify::providers
