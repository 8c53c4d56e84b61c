#include "crypto/es256.hpp"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <vector>

#include "base/text.hpp"

namespace notify::crypto {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

constexpr int kCoordinateLength = 32;

bool is_p256(EVP_PKEY* key) {
  std::array<char, 32> group{};
  std::size_t length = 0;
  const bool named = EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1;
  return named && std::string_view(group.data(), length) == "prime256v1";
}

/// OpenSSL never asks a terminal for a pass phrase.
int no_pass_phrase(char*, int, int, void*) { return 0; }

}  // namespace

struct Es256Key::Impl {
  Pkey key;
};

Es256Key::Es256Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Es256Key::Es256Key(Es256Key&&) noexcept = default;
Es256Key& Es256Key::operator=(Es256Key&&) noexcept = default;
Es256Key::~Es256Key() = default;

base::Expected<Es256Key> Es256Key::from_pem(const base::Secret& pem) {
  const std::string_view text = pem.reveal();
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  Pkey key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  if (!key)
    return base::fail(base::Errc::invalid, "not a private key in PEM without a pass phrase");
  if (!is_p256(key.get())) return base::fail(base::Errc::invalid, "not a P-256 key");
  return Es256Key(std::make_unique<Impl>(Impl{std::move(key)}));
}

base::Expected<std::string> Es256Key::sign_jwt(std::string_view header_json,
                                               std::string_view claims_json) const {
  std::string token =
      base::base64url_encode(header_json) + '.' + base::base64url_encode(claims_json);
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t length = 0;
  const auto* input = reinterpret_cast<const unsigned char*>(token.data());
  bool ok = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                          impl_->key.get()) == 1;
  ok = ok && EVP_DigestSign(context.get(), nullptr, &length, input, token.size()) == 1;
  std::vector<unsigned char> der(length);
  ok = ok && EVP_DigestSign(context.get(), der.data(), &length, input, token.size()) == 1;
  if (!ok) return base::fail(base::Errc::internal, "OpenSSL could not sign");

  const unsigned char* cursor = der.data();
  const Signature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(length)));
  std::string raw(2 * kCoordinateLength, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(raw.data());
  ok = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes, kCoordinateLength) ==
                        kCoordinateLength;
  ok = ok && BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes + kCoordinateLength,
                          kCoordinateLength) == kCoordinateLength;
  if (!ok) return base::fail(base::Errc::internal, "OpenSSL gave a signature of a wrong form");
  token += '.';
  token += base::base64url_encode(raw);
  return token;
}

}  // namespace notify::crypto
