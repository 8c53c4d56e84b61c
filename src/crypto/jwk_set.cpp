#include "crypto/jwk_set.hpp"

#include <algorithm>

#include "base/strict_json.hpp"
#include "base/text.hpp"

namespace notify::crypto {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kTextMax = 64 * 1024;
constexpr std::size_t kKeysMax = 100;
constexpr int kDepthMax = 8;

/// nullopt if it is absent or no text.
std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool absent_or(const Json& object, const char* name, std::string_view value) {
  return !object.contains(name) || text_of(object, name) == value;
}

/// RFC 7517 §4.3: if `key_ops` is there, it must have "verify".
bool may_verify(const Json& jwk) {
  const auto found = jwk.find("key_ops");
  return found == jwk.end() ||
         (found->is_array() && std::find(found->begin(), found->end(), "verify") != found->end());
}

std::optional<Es256PublicKey> to_key(const Json& jwk) {
  if (!jwk.is_object() || text_of(jwk, "kty") != "EC" || text_of(jwk, "crv") != "P-256") {
    return std::nullopt;
  }
  if (!absent_or(jwk, "use", "sig") || !absent_or(jwk, "alg", "ES256") || !may_verify(jwk)) {
    return std::nullopt;
  }
  const auto x = base::base64url_decode(text_of(jwk, "x").value_or(""));
  const auto y = base::base64url_decode(text_of(jwk, "y").value_or(""));
  if (!x || !y) return std::nullopt;
  auto key = Es256PublicKey::from_coordinates(*x, *y);
  if (!key) return std::nullopt;
  return std::move(*key);
}

}  // namespace

base::Expected<JwkSet> JwkSet::parse(std::string_view json) {
  if (json.size() > kTextMax) return base::fail(base::Errc::invalid, "is longer than 64 KiB");
  auto parsed = base::parse_strict_json(json, kDepthMax);
  if (!parsed) return base::fail(std::move(parsed).error());
  const auto keys = parsed->is_object() ? parsed->find("keys") : parsed->end();
  if (!parsed->is_object() || keys == parsed->end() || !keys->is_array()) {
    return base::fail(base::Errc::invalid, "is not an object with an array \"keys\"");
  }
  if (keys->size() > kKeysMax) return base::fail(base::Errc::invalid, "has more than 100 keys");
  JwkSet set;
  for (const Json& jwk : *keys) {
    if (auto key = to_key(jwk)) {
      set.keys_.push_back({text_of(jwk, "kid").value_or(""), std::move(*key)});
    }
  }
  if (set.keys_.empty()) {
    return base::fail(base::Errc::invalid, "has no P-256 key for verifying ES256 signatures");
  }
  return set;
}

const Es256PublicKey* JwkSet::find(const std::optional<std::string>& kid) const {
  if (!kid) return keys_.size() == 1 ? &keys_.front().key : nullptr;
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.kid == *kid; });
  return found == keys_.end() || kid->empty() ? nullptr : &found->key;
}

}  // namespace notify::crypto
