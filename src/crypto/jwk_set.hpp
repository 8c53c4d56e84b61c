#pragma once
// The public keys by which tokens of end users are verified, as an identity service publishes them.
// Source: RFC 7517 (JWK Set), RFC 7518 §6.2 (keys of elliptic curves).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/es256.hpp"

namespace notify::crypto {

class JwkSet {
 public:
  /// Keys that are not for verifying ES256 signatures are passed over, as RFC 7517 §5 wants it.
  /// Errors: Errc::invalid if the text is no JWK Set, or has no usable key at all.
  /// Limits: 64 KiB of text, 100 keys.
  [[nodiscard]] static base::Expected<JwkSet> parse(std::string_view json);

  /// The key a token names; without a name the only one there is. nullptr if it is not told apart.
  [[nodiscard]] const Es256PublicKey* find(const std::optional<std::string>& kid) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

 private:
  struct Key {
    std::string kid;  // empty: it has none
    Es256PublicKey key;
  };
  std::vector<Key> keys_;
};

}  // namespace notify::crypto
