#include "crypto/rs256.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/text.hpp"
#include "crypto/openssl.hpp"

namespace notify::crypto {
namespace {

constexpr int kBitsMin = 2048;

}  // namespace

struct Rs256Key::Impl {
  Pkey key;
};

Rs256Key::Rs256Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rs256Key::Rs256Key(Rs256Key&&) noexcept = default;
Rs256Key& Rs256Key::operator=(Rs256Key&&) noexcept = default;
Rs256Key::~Rs256Key() = default;

base::Expected<Rs256Key> Rs256Key::from_pem(const base::Secret& pem) {
  const std::string_view text = pem.reveal();
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Pkey key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  ERR_clear_error();
  if (!key) {
    return base::fail(base::Errc::invalid, "not a private key in PEM without a pass phrase");
  }
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) {
    return base::fail(base::Errc::invalid, "not an RSA key");
  }
  if (EVP_PKEY_get_bits(key.get()) < kBitsMin) {
    return base::fail(base::Errc::invalid, "an RSA key of less than 2,048 bits");
  }
  return Rs256Key(std::make_unique<Impl>(Impl{std::move(key)}));
}

base::Expected<std::string> Rs256Key::sign_jwt(std::string_view header_json,
                                               std::string_view claims_json) const {
  std::string token =
      base::base64url_encode(header_json) + '.' + base::base64url_encode(claims_json);
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t length = 0;
  const auto* input = reinterpret_cast<const unsigned char*>(token.data());
  bool ok = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                          impl_->key.get()) == 1;
  ok = ok && EVP_DigestSign(context.get(), nullptr, &length, input, token.size()) == 1;
  std::string signature(length, '\0');
  ok = ok && EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                            &length, input, token.size()) == 1;
  ERR_clear_error();
  if (!ok) return base::fail(base::Errc::internal, "OpenSSL could not sign");
  signature.resize(length);
  token += '.';
  token += base::base64url_encode(signature);
  return token;
}

}  // namespace notify::crypto
