#pragma once
// The content coding aes128gcm: a body in encrypted records behind a header that names the salt,
// the length of a record and the key. Source: RFC 8188 (Encrypted Content-Encoding for HTTP).

#include <cstdint>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace notify::crypto {

inline constexpr std::size_t kSaltLength = 16;
/// Bytes of the header without the key's id (RFC 8188 §2.1).
inline constexpr std::size_t kCodingHeaderLength = kSaltLength + 4 + 1;
/// Each record ends with it.
inline constexpr std::size_t kGcmTagLength = 16;

/// The keys of one body. Secret.
struct ContentKeys {
  std::string pseudorandom;  ///< PRK, 32 bytes
  std::string key;           ///< of AES-128, 16 bytes
  std::string nonce;         ///< of record 0, 12 bytes
};

/// HMAC-SHA-256.
/// Errors: Errc::internal if OpenSSL fails.
[[nodiscard]] base::Expected<std::string> hmac_sha256(std::string_view key, std::string_view text);

/// Derives them of the secret that both ends share and a salt of 16 bytes (RFC 8188 §2.2, §2.3).
/// Errors: Errc::internal if OpenSSL fails.
[[nodiscard]] base::Expected<ContentKeys> derive_content_keys(std::string_view shared_secret,
                                                              std::string_view salt);

/// The header of a body. `key_id` has at most 255 bytes.
[[nodiscard]] std::string coding_header(std::string_view salt, std::uint32_t record_size,
                                        std::string_view key_id);

/// Encrypts record `sequence`. `text` ends with its delimiter, 2 in the last record and 1 in
/// others, and its padding (RFC 8188 §2). Errors: Errc::internal if OpenSSL fails.
[[nodiscard]] base::Expected<std::string> seal_record(const ContentKeys& keys,
                                                      std::uint64_t sequence,
                                                      std::string_view text);

}  // namespace notify::crypto
