#include "providers/apns/provider_token.hpp"

#include "base/text.hpp"

namespace notify::providers {
namespace {

constexpr std::chrono::seconds kSlot = std::chrono::minutes(30);

std::string header_json(const std::string& key_id) {
  std::string json = R"({"alg":"ES256","kid":)";
  base::append_json_string(json, key_id);
  return json + '}';
}

}  // namespace

ProviderToken::ProviderToken(crypto::Es256Key key, ApnsCredentials credentials,
                             const base::Clock& clock)
    : key_(std::move(key)),
      header_json_(header_json(credentials.key_id)),
      team_id_(std::move(credentials.team_id)),
      clock_(clock) {}

base::Expected<base::Secret> ProviderToken::authorization() {
  using std::chrono::duration_cast;
  const auto now = duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch());
  const std::chrono::seconds slot = now - now % kSlot;
  if (slot == issued_at_) return authorization_;
  std::string claims = R"({"iss":)";
  base::append_json_string(claims, team_id_);
  claims += R"(,"iat":)" + std::to_string(slot.count()) + '}';
  const base::Expected<std::string> jwt = key_.sign_jwt(header_json_, claims);
  if (!jwt) return base::fail(jwt.error());
  authorization_ = base::Secret("bearer " + *jwt);
  issued_at_ = slot;
  return authorization_;
}

}  // namespace notify::providers
