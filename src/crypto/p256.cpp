#include "crypto/p256.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

namespace notify::crypto {
namespace {

using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool is_uncompressed(std::string_view point) {
  return point.size() == kPointLength && point.front() == '\x04';
}

/// OpenSSL refuses a point that is not on the curve. The curve's cofactor is 1, so every other
/// point that it takes is of the right order.
Pkey import(std::string_view point, const BIGNUM* scalar, int selection) {
  const Builder builder(OSSL_PARAM_BLD_new());
  bool ok = builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                       "prime256v1", 0) == 1;
  ok = ok && OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                              point.size()) == 1;
  if (scalar != nullptr) {
    ok = ok && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1;
  }
  if (!ok) return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  ok = parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &made, selection, parameters.get()) == 1;
  Pkey key(made);
  if (!ok) return nullptr;
  const PkeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  return check && EVP_PKEY_public_check_quick(check.get()) == 1 ? std::move(key) : nullptr;
}

}  // namespace

Pkey import_point(std::string_view point) {
  return is_uncompressed(point) ? import(point, nullptr, EVP_PKEY_PUBLIC_KEY) : nullptr;
}

Pkey import_pair(std::string_view scalar, std::string_view point) {
  if (scalar.size() != kCoordinateLength || !is_uncompressed(point)) return nullptr;
  const Number number(BN_secure_new());
  if (!number ||
      BN_bin2bn(bytes(scalar), static_cast<int>(scalar.size()), number.get()) == nullptr) {
    return nullptr;
  }
  Pkey key = import(point, number.get(), EVP_PKEY_KEYPAIR);
  if (!key) return nullptr;
  const PkeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  return check && EVP_PKEY_pairwise_check(check.get()) == 1 ? std::move(key) : nullptr;
}

std::string point_of(const EVP_PKEY& key) {
  std::string point(kPointLength, '\x04');
  auto* place = reinterpret_cast<unsigned char*>(point.data()) + 1;
  for (const char* name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    BIGNUM* read = nullptr;
    if (EVP_PKEY_get_bn_param(&key, name, &read) != 1) return {};
    const Number coordinate(read);
    constexpr int kLength = static_cast<int>(kCoordinateLength);
    if (BN_bn2binpad(coordinate.get(), place, kLength) != kLength) return {};
    place += kCoordinateLength;
  }
  return point;
}

}  // namespace notify::crypto
