#include "crypto/es256.hpp"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <array>
#include <vector>

#include "base/text.hpp"
#include "crypto/p256.hpp"
#include "crypto/private_key.hpp"

namespace notify::crypto {
namespace {

using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

constexpr int kNumberLength = static_cast<int>(kCoordinateLength);

bool is_p256(EVP_PKEY* key) {
  std::array<char, 32> group{};
  std::size_t length = 0;
  const bool named = EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1;
  return named && std::string_view(group.data(), length) == "prime256v1";
}

}  // namespace

struct Es256Key::Impl {
  Pkey key;
};

Es256Key::Es256Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Es256Key::Es256Key(Es256Key&&) noexcept = default;
Es256Key& Es256Key::operator=(Es256Key&&) noexcept = default;
Es256Key::~Es256Key() = default;

base::Expected<Es256Key> Es256Key::from_pem(const base::Secret& pem) {
  Pkey key = read_private_key(pem);
  if (!key)
    return base::fail(base::Errc::invalid, "not a private key in PEM without a pass phrase");
  if (!is_p256(key.get())) return base::fail(base::Errc::invalid, "not a P-256 key");
  return Es256Key(std::make_unique<Impl>(Impl{std::move(key)}));
}

base::Expected<std::string> Es256Key::sign_jwt(std::string_view header_json,
                                               std::string_view claims_json) const {
  std::string token = jwt_input(header_json, claims_json);
  const std::string der = sign_sha256(*impl_->key, token);
  if (der.empty()) return base::fail(base::Errc::internal, "OpenSSL could not sign");

  const unsigned char* cursor = bytes(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  std::string raw(2 * kCoordinateLength, '\0');
  unsigned char* to = bytes(raw);
  bool ok = signature &&
            BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, kNumberLength) == kNumberLength;
  ok = ok && BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + kCoordinateLength,
                          kNumberLength) == kNumberLength;
  if (!ok) return base::fail(base::Errc::internal, "OpenSSL gave a signature of a wrong form");
  token += '.';
  token += base::base64url_encode(raw);
  return token;
}

base::Expected<std::string> Es256Key::public_point() const {
  std::string point = point_of(*impl_->key);
  if (point.empty()) return base::fail(base::Errc::internal, "OpenSSL could not read the key");
  return point;
}

struct Es256PublicKey::Impl {
  Pkey key;
};

Es256PublicKey::Es256PublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

base::Expected<Es256PublicKey> Es256PublicKey::from_coordinates(std::string_view x,
                                                                std::string_view y) {
  if (x.size() != kCoordinateLength || y.size() != kCoordinateLength) {
    return base::fail(base::Errc::invalid, "a coordinate is not 32 bytes long");
  }
  std::string point = "\x04";  // SEC 1 §2.3.3: uncompressed
  point.append(x).append(y);
  Pkey key = import_point(point);
  if (!key) return base::fail(base::Errc::invalid, "the coordinates are no point of P-256");
  return Es256PublicKey(std::make_shared<const Impl>(Impl{std::move(key)}));
}

bool Es256PublicKey::verifies(std::string_view text, std::string_view signature) const {
  if (signature.size() != 2 * kCoordinateLength) return false;
  const auto* raw = reinterpret_cast<const unsigned char*>(signature.data());
  Number r(BN_bin2bn(raw, kNumberLength, nullptr));
  Number s(BN_bin2bn(raw + kCoordinateLength, kNumberLength, nullptr));
  const Signature pair(ECDSA_SIG_new());
  if (!r || !s || !pair) return false;
  if (ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return false;
  static_cast<void>(r.release());  // the pair's now
  static_cast<void>(s.release());
  unsigned char* encoded = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &encoded);
  if (length <= 0) return false;
  const std::vector<unsigned char> der(encoded, encoded + length);
  OPENSSL_free(encoded);
  const DigestContext context(EVP_MD_CTX_new());
  // R or S of 0, or not below the group's order, is refused by OpenSSL (FIPS 186-5 §6.4.2, step 1).
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) ==
             1 &&
         EVP_DigestVerify(context.get(), der.data(), der.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

}  // namespace notify::crypto
