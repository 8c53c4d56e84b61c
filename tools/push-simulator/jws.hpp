#pragma once
// A compact JSON Web Signature as a receiver reads it: its parts, and whether a key has signed it.
// Source: RFC 7515 §3.1, RFC 7518 §3.4 (ES256: R||S in 64 bytes).

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "push-simulator/openssl_handles.hpp"

namespace notify::simulator {

struct Jws {
  nlohmann::json header;  ///< an object
  nlohmann::json claims;  ///< an object
  std::string_view signed_part;
  std::string signature;
};

/// nullopt if it has not three parts, or one of the first two is no JSON object. Lifetime: views
/// into `compact`.
[[nodiscard]] std::optional<Jws> parse_jws(std::string_view compact);

/// Whether `object` has the text `expected` at `key`.
[[nodiscard]] bool is_text(const nlohmann::json& object, const char* key,
                           std::string_view expected);

/// Whether `signature` is an ES256 signature of `text` by `key`.
[[nodiscard]] bool is_es256(EVP_PKEY& key, std::string_view text, std::string_view signature);

}  // namespace notify::simulator
