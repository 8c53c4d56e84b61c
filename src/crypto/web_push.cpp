#include "crypto/web_push.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/text.hpp"
#include "crypto/aes128gcm.hpp"
#include "crypto/p256.hpp"

namespace notify::crypto {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

constexpr std::size_t kAuthLength = 16;
constexpr char kLastRecord = '\x02';
static_assert(kCodingHeaderLength + kPointLength == 86);

}  // namespace

struct WebPushKeys::Impl {
  Pkey key;
  std::string point;
  std::string auth;
};

WebPushKeys::WebPushKeys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebPushKeys::WebPushKeys(WebPushKeys&&) noexcept = default;
WebPushKeys& WebPushKeys::operator=(WebPushKeys&&) noexcept = default;
WebPushKeys::~WebPushKeys() = default;

Expected<WebPushKeys> WebPushKeys::parse(std::string_view p256dh, std::string_view auth) {
  auto point = base::base64url_decode(p256dh);
  if (!point) return fail(Errc::invalid, "keys.p256dh is not base64url");
  if (point->size() != kPointLength) return fail(Errc::invalid, "keys.p256dh is not 65 bytes long");
  auto secret = base::base64url_decode(auth);
  if (!secret) return fail(Errc::invalid, "keys.auth is not base64url");
  if (secret->size() != kAuthLength) return fail(Errc::invalid, "keys.auth is not 16 bytes long");
  Pkey key = import_point(*point);
  if (!key) return fail(Errc::invalid, "keys.p256dh is no point of P-256");
  return WebPushKeys(
      std::make_unique<Impl>(Impl{std::move(key), *std::move(point), *std::move(secret)}));
}

struct OneTimeKeys::Impl {
  Pkey key;
  std::string point;
  std::string salt;
};

OneTimeKeys::OneTimeKeys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OneTimeKeys::OneTimeKeys(OneTimeKeys&&) noexcept = default;
OneTimeKeys& OneTimeKeys::operator=(OneTimeKeys&&) noexcept = default;
OneTimeKeys::~OneTimeKeys() = default;

Expected<OneTimeKeys> OneTimeKeys::fresh() {
  Pkey key = make_pair();
  std::string point = key ? point_of(*key) : std::string();
  std::string salt(kSaltLength, '\0');
  const bool has_salt =
      RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) == 1;
  if (point.empty() || !has_salt) return fail(Errc::internal, "OpenSSL could not make a key");
  return OneTimeKeys(
      std::make_unique<Impl>(Impl{std::move(key), std::move(point), std::move(salt)}));
}

Expected<OneTimeKeys> OneTimeKeys::from_raw(const base::Secret& private_key,
                                            std::string_view public_key, std::string_view salt) {
  if (salt.size() != kSaltLength) return fail(Errc::invalid, "the salt is not 16 bytes long");
  Pkey key = import_pair(private_key.reveal(), public_key);
  if (!key) return fail(Errc::invalid, "the keys are no pair of P-256");
  return OneTimeKeys(
      std::make_unique<Impl>(Impl{std::move(key), std::string(public_key), std::string(salt)}));
}

Expected<WebPushSecrets> agree(const WebPushKeys& browser, const OneTimeKeys& own) {
  WebPushSecrets secrets;
  secrets.ecdh.resize(kCoordinateLength);
  std::size_t length = secrets.ecdh.size();
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.impl().key.get(), nullptr));
  // The browser's point was checked when it was parsed.
  constexpr int kAlreadyChecked = 0;
  const bool agreed =
      context && EVP_PKEY_derive_init(context.get()) == 1 &&
      EVP_PKEY_derive_set_peer_ex(context.get(), browser.impl().key.get(), kAlreadyChecked) == 1 &&
      EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(secrets.ecdh.data()),
                      &length) == 1;
  if (!agreed) return fail(Errc::internal, "OpenSSL could not agree on a key");
  auto prk_key = hmac_sha256(browser.impl().auth, secrets.ecdh);
  if (!prk_key) return fail(prk_key.error());
  secrets.prk_key = *std::move(prk_key);
  secrets.key_info = "WebPush: info";
  secrets.key_info += '\0';
  secrets.key_info += browser.impl().point;
  secrets.key_info += own.impl().point;
  auto shared = hmac_sha256(secrets.prk_key, secrets.key_info + '\x01');
  if (!shared) return fail(shared.error());
  secrets.shared = *std::move(shared);
  return secrets;
}

Expected<std::string> encrypt_web_push(const WebPushKeys& browser, const OneTimeKeys& own,
                                       std::string_view text) {
  if (text.size() > kWebPushTextMax) {
    return fail(Errc::invalid, "the message is over " + std::to_string(kWebPushTextMax) + " bytes");
  }
  const auto secrets = agree(browser, own);
  if (!secrets) return fail(secrets.error());
  const auto keys = derive_content_keys(secrets->shared, own.impl().salt);
  if (!keys) return fail(keys.error());
  const auto record = seal_record(*keys, 0, std::string(text) + kLastRecord);
  if (!record) return fail(record.error());
  return coding_header(own.impl().salt, kWebPushBodyMax, own.impl().point) + *record;
}

}  // namespace notify::crypto
