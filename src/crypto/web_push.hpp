#pragma once
// Encrypts a message for a browser: only the browser that subscribed can read it, the push service
// between cannot.
// Source: RFC 8291 (Message Encryption for Web Push) over RFC 8188 (aes128gcm).

#include <memory>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "base/secret.hpp"

namespace notify::crypto {

/// Every push service takes a body of so many bytes (RFC 8030 §7.2).
inline constexpr std::size_t kWebPushBodyMax = 4096;
/// So many bytes of text fit into it: header of 86 bytes, delimiter, tag.
inline constexpr std::size_t kWebPushTextMax = kWebPushBodyMax - 86 - 1 - 16;

/// The keys that a browser gives out with a subscription.
/// Threading: const methods may be called from any thread.
class WebPushKeys {
 public:
  /// Both are base64url, with or without padding: `p256dh` a point of P-256 in 65 bytes, `auth` 16
  /// bytes.
  /// Errors: Errc::invalid; the text says which is wrong and quotes neither.
  [[nodiscard]] static base::Expected<WebPushKeys> parse(std::string_view p256dh,
                                                         std::string_view auth);
  WebPushKeys(WebPushKeys&&) noexcept;
  WebPushKeys& operator=(WebPushKeys&&) noexcept;
  ~WebPushKeys();

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit WebPushKeys(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A key pair and a salt, for one message only.
class OneTimeKeys {
 public:
  /// Errors: Errc::internal if OpenSSL has no random numbers.
  [[nodiscard]] static base::Expected<OneTimeKeys> fresh();
  /// Known keys, as test vectors have them. `private_key` has 32 bytes, `public_key` 65, `salt` 16.
  /// Errors: Errc::invalid.
  [[nodiscard]] static base::Expected<OneTimeKeys> from_raw(const base::Secret& private_key,
                                                            std::string_view public_key,
                                                            std::string_view salt);
  OneTimeKeys(OneTimeKeys&&) noexcept;
  OneTimeKeys& operator=(OneTimeKeys&&) noexcept;
  ~OneTimeKeys();

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit OneTimeKeys(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The steps from two key pairs to the secret of RFC 8188 (RFC 8291 §3.4). Secret.
struct WebPushSecrets {
  std::string ecdh;      ///< 32 bytes
  std::string prk_key;   ///< 32 bytes
  std::string key_info;  ///< 144 bytes
  std::string shared;    ///< IKM, 32 bytes
};
/// Errors: Errc::internal if OpenSSL fails.
[[nodiscard]] base::Expected<WebPushSecrets> agree(const WebPushKeys& browser,
                                                   const OneTimeKeys& own);

/// The body of one request: a header and one record. The result is 103 bytes longer than `text`.
/// Errors: Errc::invalid if `text` is over kWebPushTextMax bytes; Errc::internal if OpenSSL fails.
[[nodiscard]] base::Expected<std::string> encrypt_web_push(const WebPushKeys& browser,
                                                           const OneTimeKeys& own,
                                                           std::string_view text);

}  // namespace notify::crypto
