#include "push-simulator/web_push_crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <cstdint>

#include "push-simulator/certificates.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using ContextHandle = std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter<EVP_PKEY_CTX_free>>;
using CipherHandle = std::unique_ptr<EVP_CIPHER_CTX, OpensslDeleter<EVP_CIPHER_CTX_free>>;

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHeaderSize = kSaltSize + 4 + 1;
constexpr std::size_t kPointSize = 65;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kAuthSize = 16;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(), mac.data(),
       &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

std::string info(std::string_view name) {
  std::string text(name);
  text.push_back('\0');
  text.push_back('\x01');
  return text;
}

/// One record without its tag; empty if it was tampered with, or encrypted for another.
std::string open_record(const std::string& key, std::string nonce, std::uint64_t sequence,
                        std::string_view record) {
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[11 - i] = static_cast<char>(nonce[11 - i] ^ static_cast<char>(sequence >> (8 * i)));
  }
  const CipherHandle cipher(EVP_CIPHER_CTX_new());
  const std::size_t size = record.size() - kTagSize;
  std::string text(size, '\0');
  std::string tag(record.substr(size));
  int written = 0;
  const bool ok =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, bytes(key), bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(text), &written, bytes(record),
                        static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagSize),
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(text) + written, &written) == 1;
  return ok ? text : std::string();
}

std::size_t record_size_of(std::string_view body) {
  std::size_t size = 0;
  for (std::size_t i = kSaltSize; i < kSaltSize + 4; ++i) {
    size = size << 8 | static_cast<unsigned char>(body[i]);
  }
  return size;
}

std::size_t key_id_size_of(std::string_view body) {
  return static_cast<unsigned char>(body[kHeaderSize - 1]);
}

}  // namespace

Expected<BrowserKeys> make_browser_keys() {
  auto key = make_p256_key();
  if (!key) return fail(key.error());
  BrowserKeys keys;
  keys.key = *std::move(key);
  keys.point.resize(kPointSize);
  keys.auth.resize(kAuthSize);
  std::size_t size = 0;
  const bool ok = EVP_PKEY_get_octet_string_param(keys.key.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                  bytes(keys.point), kPointSize, &size) == 1 &&
                  RAND_bytes(bytes(keys.auth), static_cast<int>(kAuthSize)) == 1;
  if (!ok || size != kPointSize) return fail(Errc::internal, openssl_error());
  return keys;
}

Expected<std::string> decode_aes128gcm(std::string_view shared_secret, std::string_view body) {
  if (body.size() < kHeaderSize || body.size() < kHeaderSize + key_id_size_of(body)) {
    return fail(Errc::invalid, "the header is cut off");
  }
  const std::size_t record_size = record_size_of(body);
  if (record_size < 18) return fail(Errc::invalid, "a record has less than 18 bytes");
  const std::string pseudorandom = hmac(body.substr(0, kSaltSize), shared_secret);
  const std::string key =
      hmac(pseudorandom, info("Content-Encoding: aes128gcm")).substr(0, kTagSize);
  const std::string nonce = hmac(pseudorandom, info("Content-Encoding: nonce")).substr(0, 12);

  std::string text;
  std::string_view rest = body.substr(kHeaderSize + key_id_size_of(body));
  for (std::uint64_t sequence = 0; !rest.empty(); ++sequence) {
    const std::string_view record = rest.substr(0, record_size);
    rest.remove_prefix(record.size());
    if (record.size() <= kTagSize) return fail(Errc::invalid, "a record is cut off");
    std::string opened = open_record(key, nonce, sequence, record);
    const std::size_t delimiter = opened.find_last_not_of('\0');
    if (delimiter == std::string::npos) return fail(Errc::invalid, "a record does not decrypt");
    const char expected = rest.empty() ? '\x02' : '\x01';
    if (opened[delimiter] != expected) return fail(Errc::invalid, "a record ends wrongly");
    text.append(opened, 0, delimiter);
  }
  return text;
}

std::string_view sender_point(std::string_view body) {
  const bool has_it = body.size() > kHeaderSize + kPointSize && key_id_size_of(body) == kPointSize;
  return has_it ? body.substr(kHeaderSize, kPointSize) : std::string_view();
}

Expected<std::string> decrypt_web_push(const BrowserKeys& browser, std::string_view body) {
  const std::string_view point = sender_point(body);
  const KeyHandle sender = public_key_of(point);
  if (!sender) return fail(Errc::invalid, "the header has no public key of the sender");
  if (body.size() - kHeaderSize - kPointSize > record_size_of(body)) {
    return fail(Errc::invalid, "there is more than one record");  // RFC 8291 §4
  }
  const ContextHandle context(EVP_PKEY_CTX_new(browser.key.get(), nullptr));
  std::string agreed(32, '\0');
  std::size_t size = agreed.size();
  const bool ok = context && EVP_PKEY_derive_init(context.get()) == 1 &&
                  EVP_PKEY_derive_set_peer(context.get(), sender.get()) == 1 &&
                  EVP_PKEY_derive(context.get(), bytes(agreed), &size) == 1;
  if (!ok) return fail(Errc::invalid, openssl_error());
  std::string key_info("WebPush: info\0", 14);
  key_info.append(browser.point).append(point).push_back('\x01');
  return decode_aes128gcm(hmac(hmac(browser.auth, agreed), key_info), body);
}

KeyHandle public_key_of(std::string_view point) {
  if (point.size() != kPointSize || point.front() != '\x04') return nullptr;
  std::string group = "prime256v1";
  std::string octets(point);
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
      OSSL_PARAM_construct_end()};
  const ContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    // OpenSSL only reads them.
    EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                      const_cast<OSSL_PARAM*>(parameters.data()));
  }
  ERR_clear_error();
  return KeyHandle(made);
}

}  // namespace notify::simulator
