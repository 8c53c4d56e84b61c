#include "crypto/p256.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

namespace notify::crypto {
namespace {

using SecretNumber = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

bool is_uncompressed(std::string_view point) {
  return point.size() == kPointLength && point.front() == '\x04';
}

/// A key of the curve, from which new ones take its parameters: that is far cheaper than to
/// have OpenSSL look the curve up by its name.
EVP_PKEY* curve() {
  static EVP_PKEY* const kKey = EVP_EC_gen("P-256");
  return kKey;
}

/// The pair of a scalar and a point.
Pkey import(std::string_view point, const BIGNUM& scalar) {
  const Builder builder(OSSL_PARAM_BLD_new());
  const bool built = builder &&
                     OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                     "prime256v1", 0) == 1 &&
                     OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                      point.data(), point.size()) == 1 &&
                     OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1;
  if (!built) return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  const bool imported =
      parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()) == 1;
  Pkey key(made);
  return imported ? std::move(key) : nullptr;
}

}  // namespace

Pkey make_pair() {
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, curve(), nullptr));
  EVP_PKEY* made = nullptr;
  const bool ok = context && EVP_PKEY_keygen_init(context.get()) == 1 &&
                  EVP_PKEY_keygen(context.get(), &made) == 1;
  Pkey key(made);
  return ok ? std::move(key) : nullptr;
}

Pkey import_point(std::string_view point) {
  if (!is_uncompressed(point)) return nullptr;
  Pkey key(EVP_PKEY_new());
  // OpenSSL refuses a point that is not on the curve. The curve's cofactor is 1, so every point
  // that it takes is of the right order.
  const bool ok = key && EVP_PKEY_copy_parameters(key.get(), curve()) == 1 &&
                  EVP_PKEY_set1_encoded_public_key(key.get(), bytes(point), point.size()) == 1;
  if (!ok) ERR_clear_error();
  return ok ? std::move(key) : nullptr;
}

Pkey import_pair(std::string_view scalar, std::string_view point) {
  if (scalar.size() != kCoordinateLength || !is_uncompressed(point)) return nullptr;
  const SecretNumber number(BN_secure_new());
  if (!number ||
      BN_bin2bn(bytes(scalar), static_cast<int>(scalar.size()), number.get()) == nullptr) {
    return nullptr;
  }
  Pkey key = import(point, *number);
  const PkeyContext check(key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr) : nullptr);
  const bool ok = check && EVP_PKEY_pairwise_check(check.get()) == 1;
  if (!ok) ERR_clear_error();
  return ok ? std::move(key) : nullptr;
}

std::string point_of(const EVP_PKEY& key) {
  std::string point(kPointLength, '\x04');
  auto* place = reinterpret_cast<unsigned char*>(point.data());
  std::size_t length = 0;
  const bool is_read = EVP_PKEY_get_octet_string_param(&key, OSSL_PKEY_PARAM_PUB_KEY, place,
                                                       point.size(), &length) == 1;
  if (is_read && length == kPointLength && is_uncompressed(point)) return point;
  // A key that was read from a file may remember the compressed form.
  point.front() = '\x04';
  ++place;
  for (const char* name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    BIGNUM* read = nullptr;
    if (EVP_PKEY_get_bn_param(&key, name, &read) != 1) return {};
    const SecretNumber coordinate(read);
    constexpr int kLength = static_cast<int>(kCoordinateLength);
    if (BN_bn2binpad(coordinate.get(), place, kLength) != kLength) return {};
    place += kCoordinateLength;
  }
  return point;
}

}  // namespace notify::crypto
