#include "crypto/aes128gcm.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>

#include "crypto/p256.hpp"

namespace notify::crypto {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

constexpr std::size_t kHashLength = 32;
constexpr std::size_t kKeyLength = 16;
constexpr std::size_t kNonceLength = 12;

/// One step of HKDF's expansion is enough for what is needed (RFC 5869 §2.3).
std::string with_terminators(std::string_view info) {
  std::string text(info);
  text += '\0';
  text += '\1';
  return text;
}

}  // namespace

Expected<std::string> hmac_sha256(std::string_view key, std::string_view text) {
  // Fetched once: OpenSSL would look the algorithm up again for each text.
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  const MacContext context(kHmac == nullptr ? nullptr : EVP_MAC_CTX_new(kHmac));
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  std::string mac(kHashLength, '\0');
  std::size_t length = 0;
  const bool ok = context &&
                  EVP_MAC_init(context.get(), bytes(key), key.size(), parameters.data()) == 1 &&
                  EVP_MAC_update(context.get(), bytes(text), text.size()) == 1 &&
                  EVP_MAC_final(context.get(), bytes(mac), &length, mac.size()) == 1;
  if (!ok) return fail(Errc::internal, "OpenSSL could not compute an HMAC");
  return mac;
}

Expected<ContentKeys> derive_content_keys(std::string_view shared_secret, std::string_view salt) {
  auto pseudorandom = hmac_sha256(salt, shared_secret);
  if (!pseudorandom) return fail(pseudorandom.error());
  auto key = hmac_sha256(*pseudorandom, with_terminators("Content-Encoding: aes128gcm"));
  if (!key) return fail(key.error());
  auto nonce = hmac_sha256(*pseudorandom, with_terminators("Content-Encoding: nonce"));
  if (!nonce) return fail(nonce.error());
  key->resize(kKeyLength);
  nonce->resize(kNonceLength);
  return ContentKeys{*std::move(pseudorandom), *std::move(key), *std::move(nonce)};
}

std::string coding_header(std::string_view salt, std::uint32_t record_size,
                          std::string_view key_id) {
  std::string header(salt);
  for (int shift = 24; shift >= 0; shift -= 8) {
    header += static_cast<char>((record_size >> shift) & 0xFF);
  }
  header += static_cast<char>(key_id.size());
  return header.append(key_id);
}

Expected<std::string> seal_record(const ContentKeys& keys, std::uint64_t sequence,
                                  std::string_view text) {
  static EVP_CIPHER* const kAes = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  std::string nonce = keys.nonce;
  for (std::size_t i = 0; i < sizeof sequence; ++i) {  // big-endian, at the end
    char& place = nonce[kNonceLength - 1 - i];
    place = static_cast<char>(place ^ static_cast<char>((sequence >> (8 * i)) & 0xFF));
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  std::string record(text.size() + kGcmTagLength, '\0');
  int length = 0;
  int rest = 0;
  bool ok = kAes != nullptr && context &&
            EVP_EncryptInit_ex2(context.get(), kAes, bytes(keys.key), bytes(nonce), nullptr) == 1;
  ok = ok && EVP_EncryptUpdate(context.get(), bytes(record), &length, bytes(text),
                               static_cast<int>(text.size())) == 1;
  ok = ok && EVP_EncryptFinal_ex(context.get(), bytes(record) + length, &rest) == 1;
  ok = ok && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG,
                                 static_cast<int>(kGcmTagLength), bytes(record) + text.size()) == 1;
  if (!ok) return fail(Errc::internal, "OpenSSL could not encrypt");
  return record;
}

}  // namespace notify::crypto
