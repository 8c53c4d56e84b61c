#include "crypto/rs256.hpp"

#include "base/text.hpp"
#include "crypto/private_key.hpp"

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
  Pkey key = read_private_key(pem);
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
  std::string token = jwt_input(header_json, claims_json);
  const std::string signature = sign_sha256(*impl_->key, token);
  if (signature.empty()) return base::fail(base::Errc::internal, "OpenSSL could not sign");
  token += '.';
  token += base::base64url_encode(signature);
  return token;
}

}  // namespace notify::crypto
