#include "push-simulator/jws.hpp"

#include "base/text.hpp"

namespace notify::simulator {
namespace {

using nlohmann::json;

constexpr std::size_t kCoordinateSize = 32;

/// One base64url part of a JWT as a JSON object; discarded if it is none.
json decode_part(std::string_view part) {
  const std::optional<std::string> text = base::base64url_decode(part);
  if (!text) return json(json::value_t::discarded);
  json value = json::parse(*text, nullptr, false);
  return value.is_object() ? value : json(json::value_t::discarded);
}
/// JOSE's R||S as the DER that OpenSSL verifies; empty if that fails.
std::string der_signature(std::string_view raw) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  const EcSignatureHandle signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes, kCoordinateSize, nullptr);
  BIGNUM* s = BN_bin2bn(bytes + kCoordinateSize, kCoordinateSize, nullptr);
  if (!signature || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return {};
  std::string result(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return result;
}

}  // namespace

std::optional<Jws> parse_jws(std::string_view compact) {
  const std::size_t first = compact.find('.');
  const std::size_t second = first == compact.npos ? first : compact.find('.', first + 1);
  if (second == compact.npos) return std::nullopt;
  Jws jws;
  jws.header = decode_part(compact.substr(0, first));
  jws.claims = decode_part(compact.substr(first + 1, second - first - 1));
  if (jws.header.is_discarded() || jws.claims.is_discarded()) return std::nullopt;
  auto signature = base::base64url_decode(compact.substr(second + 1));
  if (!signature) return std::nullopt;
  jws.signed_part = compact.substr(0, second);
  jws.signature = *std::move(signature);
  return jws;
}

bool is_text(const json& object, const char* key, std::string_view expected) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() &&
         found->get_ref<const std::string&>() == expected;
}

bool is_es256(EVP_PKEY& key, std::string_view text, std::string_view signature) {
  if (signature.size() != 2 * kCoordinateSize) return false;
  const std::string der = der_signature(signature);
  const DigestHandle digest(EVP_MD_CTX_new());
  const bool ok =
      !der.empty() && digest &&
      EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, &key) == 1 &&
      EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  ERR_clear_error();
  return ok;
}

}  // namespace notify::simulator
