#include "crypto/jwt.hpp"

#include <algorithm>
#include <array>

#include "base/strict_json.hpp"
#include "base/text.hpp"

namespace notify::crypto {
namespace {

using base::Expected;
using Json = nlohmann::json;

constexpr std::size_t kTokenMax = 8 * 1024;
constexpr int kTokenDepthMax = 16;

base::Unexpected<base::Error> refuse(std::string why) {
  return base::fail(base::Errc::unauthenticated, std::move(why));
}

/// RFC 7515 §2: base64url without padding. nullopt for anything else.
std::optional<std::string> decode_part(std::string_view part) {
  if (part.find('=') != part.npos) return std::nullopt;
  return base::base64url_decode(part);
}

Expected<Json> parse_object(std::string_view text, const std::string& what) {
  auto json = base::parse_strict_json(text, kTokenDepthMax);
  if (!json) return refuse("the token's " + what + " " + json.error().detail);
  if (!json->is_object()) return refuse("the token's " + what + " is no JSON object");
  return json;
}

std::optional<std::string> claim_text(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

/// RFC 7519 §5.1 and RFC 9068 §2.1; media types are compared without regard to case. An ID token or
/// a refresh token of a careful issuer says another one.
bool is_access_token_type(std::string type) {
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array<std::string_view, 3> kTypes = {"jwt", "at+jwt", "application/at+jwt"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

Expected<void> check_header(const Json& header) {
  if (claim_text(header, "alg") != "ES256") return refuse("the token's algorithm is not ES256");
  // RFC 7515 §4.1.11: what must be understood and is not makes the token invalid; we know none.
  if (header.contains("crit")) return refuse("the token has critical extensions");
  if (header.contains("typ") && !is_access_token_type(claim_text(header, "typ").value_or(""))) {
    return refuse("the token is of another type");
  }
  if (header.contains("kid") && !claim_text(header, "kid"))
    return refuse("the token's kid is no text");
  return {};
}

/// A NumericDate (RFC 7519 §2) in seconds, perhaps with a fraction. nullopt if it is no number.
std::optional<double> date_of(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

Expected<void> check_times(const Json& claims, std::chrono::milliseconds leeway,
                           base::WallTime at) {
  const double now = std::chrono::duration<double>(at.time_since_epoch()).count();
  const double slack = std::chrono::duration<double>(leeway).count();
  const auto expires = date_of(claims, "exp");
  if (!expires) return refuse("the token has no expiry");
  if (!(now < *expires + slack)) return refuse("the token has expired");
  for (const char* name : {"nbf", "iat"}) {
    if (!claims.contains(name)) continue;
    const auto from = date_of(claims, name);
    if (!from || !(*from <= now + slack)) return refuse("the token is not valid yet");
  }
  return {};
}

bool is_for(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_array()) return std::find(found->begin(), found->end(), audience) != found->end();
  return *found == audience;
}

Expected<base::UserId> read_claims(const Json& claims, const JwtPolicy& policy,
                                   base::WallTime now) {
  if (claim_text(claims, "iss") != policy.issuer) return refuse("the token is of another issuer");
  if (!is_for(claims, policy.audience)) return refuse("the token is for another audience");
  if (auto valid = check_times(claims, policy.leeway, now); !valid)
    return refuse(valid.error().detail);
  if (claims.contains("token_use") && claim_text(claims, "token_use") != "access") {
    return refuse("the token is no access token");
  }
  const auto user = base::UserId::parse(claim_text(claims, "sub").value_or(""));
  if (!user) return refuse("the token's subject is no user");
  return *user;
}

}  // namespace

Expected<Jwt> Jwt::parse(std::string_view compact) {
  if (compact.size() > kTokenMax) return refuse("the token is longer than 8 KiB");
  const std::size_t first = compact.find('.');
  const std::size_t last = compact.rfind('.');
  const bool three_parts = first != last && compact.find('.', first + 1) == last;
  if (!three_parts) return refuse("the token is not three parts");
  const auto header_text = decode_part(compact.substr(0, first));
  auto claims = decode_part(compact.substr(first + 1, last - first - 1));
  auto signature = decode_part(compact.substr(last + 1));
  if (!header_text || !claims || !signature) return refuse("the token is not base64url");
  const auto header = parse_object(*header_text, "header");
  if (!header) return base::fail(header.error());
  if (auto good = check_header(*header); !good) return base::fail(std::move(good).error());
  Jwt token;
  token.kid_ = claim_text(*header, "kid");
  token.signed_text_ = compact.substr(0, last);
  token.signature_ = std::move(*signature);
  token.claims_ = std::move(*claims);
  return token;
}

Expected<void> Jwt::check_claims(const JwtPolicy& policy, base::WallTime now) const {
  const auto claims = parse_object(claims_, "claims");
  if (!claims) return base::fail(claims.error());
  const auto user = read_claims(*claims, policy, now);
  return user ? Expected<void>() : base::fail(user.error());
}

Expected<base::UserId> Jwt::verify(const Es256PublicKey& key, const JwtPolicy& policy,
                                   base::WallTime now) const {
  if (!key.verifies(signed_text_, signature_)) return refuse("the token's signature is wrong");
  const auto claims = parse_object(claims_, "claims");
  if (!claims) return base::fail(claims.error());
  return read_claims(*claims, policy, now);
}

}  // namespace notify::crypto
