#pragma once
// Keys of every kind are read and sign in the same way, which is here. Only for the files of this
// folder.

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "crypto/openssl.hpp"

namespace notify::crypto {

/// A private key in PEM, of whatever kind; null if there is none, or it has a pass phrase.
[[nodiscard]] Pkey read_private_key(const base::Secret& pem);

/// base64url(header).base64url(claims): the text that a JWT's signature is of (RFC 7515 §5.1).
[[nodiscard]] std::string jwt_input(std::string_view header_json, std::string_view claims_json);

/// The signature of `text`, hashed by SHA-256, as OpenSSL forms it for such a key; empty if it
/// fails.
[[nodiscard]] std::string sign_sha256(EVP_PKEY& key, std::string_view text);

}  // namespace notify::crypto
