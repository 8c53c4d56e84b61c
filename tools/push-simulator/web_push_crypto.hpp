#pragma once
// A browser's side of Web Push: its key pair, and the decryption of what it receives. Written apart
// from the service's own encryption, which it proves.
// Source: RFC 8188 (aes128gcm), RFC 8291 (Web Push).

#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "push-simulator/openssl_handles.hpp"

namespace notify::simulator {

struct BrowserKeys {
  KeyHandle key;
  std::string point;  ///< the public key, uncompressed, 65 bytes
  std::string auth;   ///< 16 bytes
};

/// Errors: internal if OpenSSL fails.
[[nodiscard]] base::Expected<BrowserKeys> make_browser_keys();

/// Takes a body apart and decrypts its records. `shared_secret` is the IKM of RFC 8188 §2.2.
/// Errors: invalid, with what is wrong in words.
[[nodiscard]] base::Expected<std::string> decode_aes128gcm(std::string_view shared_secret,
                                                           std::string_view body);

/// The sender's public key, which stands in the header of a body; empty if it is no such body.
[[nodiscard]] std::string_view sender_point(std::string_view body);

/// Errors: invalid, with what is wrong in words.
[[nodiscard]] base::Expected<std::string> decrypt_web_push(const BrowserKeys& browser,
                                                           std::string_view body);

/// The public key of an uncompressed point; null if it is none of P-256.
[[nodiscard]] KeyHandle public_key_of(std::string_view point);

}  // namespace notify::simulator
