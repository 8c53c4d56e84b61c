#pragma once
// Keys made for one test, and the check of a signature by OpenSSL itself.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "base/text.hpp"

namespace notify::crypto_test {

using Key = std::shared_ptr<EVP_PKEY>;

[[nodiscard]] inline Key make_ec_key(const char* group) {
  return {EVP_EC_gen(group), &EVP_PKEY_free};
}
[[nodiscard]] inline Key make_rsa_key() { return {EVP_RSA_gen(2048), &EVP_PKEY_free}; }

[[nodiscard]] inline std::string take(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return copy;
}
/// PKCS#8, as Apple's .p8 files; with a pass phrase if one is given.
[[nodiscard]] inline base::Secret to_pem(const Key& key, std::string pass_phrase = {}) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key.get(), pass_phrase.empty() ? nullptr : EVP_aes_256_cbc(),
                                pass_phrase.data(), static_cast<int>(pass_phrase.size()), nullptr,
                                nullptr);
  return base::Secret(take(bio));
}
/// SEC 1: BEGIN EC PRIVATE KEY.
[[nodiscard]] inline base::Secret to_sec1_pem(const Key& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey_traditional(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return base::Secret(take(bio));
}
[[nodiscard]] inline std::string public_pem(const Key& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key.get());
  return take(bio);
}

/// A coordinate of the public point, 32 bytes: "qx" or "qy".
[[nodiscard]] inline std::string coordinate(const Key& key, const char* which) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key.get(), which, &number);
  std::string bytes(32, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), 32);
  BN_free(number);
  return bytes;
}
/// The public key as a JWK; `more` are further members, each after a comma.
[[nodiscard]] inline std::string to_jwk(const Key& key, const std::string& kid,
                                        const std::string& more = {}) {
  return R"({"kty":"EC","crv":"P-256","kid":")" + kid + R"(","x":")" +
         base::base64url_encode(coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X)) + R"(","y":")" +
         base::base64url_encode(coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)) + '"' + more + '}';
}

/// Whether `raw` (R||S) is this key's signature of `text`.
[[nodiscard]] inline bool verifies(const Key& key, std::string_view text, std::string_view raw) {
  if (raw.size() != 64) return false;
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature, &der);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good =
      EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context, der, static_cast<std::size_t>(length),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return good;
}

}  // namespace notify::crypto_test
