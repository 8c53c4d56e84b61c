#include "push-simulator/provider_token.hpp"

#include <openssl/pem.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "push-simulator/certificates.hpp"
#include "push-simulator/files.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using nlohmann::json;

constexpr std::size_t kCoordinateSize = 32;

/// One base64url part of a JWT as a JSON object; discarded if it is none.
json decode_part(std::string_view part) {
  const std::optional<std::string> text = base::base64url_decode(part);
  if (!text) return json(json::value_t::discarded);
  json value = json::parse(*text, nullptr, false);
  return value.is_object() ? value : json(json::value_t::discarded);
}

bool is_text(const json& object, const char* key, std::string_view expected) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() &&
         found->get_ref<const std::string&>() == expected;
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

TokenVerdict ProviderTokenChecker::check(std::string_view authorization, base::WallTime now) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.empty()) return TokenVerdict::missing;
  if (authorization.size() <= kScheme.size()) return TokenVerdict::invalid;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {  // schemes have no case (RFC 9110 §11.1)
    if ((authorization[i] | 0x20) != kScheme[i]) return TokenVerdict::invalid;
  }
  const std::string_view jwt = authorization.substr(kScheme.size());

  auto known = verified_.find(jwt);
  if (known == verified_.end()) {
    std::chrono::seconds issued_at{0};
    if (!verify(jwt, issued_at)) return TokenVerdict::invalid;
    if (verified_.size() >= kRemembered) verified_.clear();
    known = verified_.emplace(std::string(jwt), issued_at).first;
  }
  const auto age = now.time_since_epoch() - known->second;
  if (age > kLifetime) return TokenVerdict::expired;
  if (age < -kClockSkew) return TokenVerdict::invalid;
  return TokenVerdict::valid;
}

bool ProviderTokenChecker::verify(std::string_view jwt, std::chrono::seconds& issued_at) const {
  const std::size_t first = jwt.find('.');
  const std::size_t second = first == jwt.npos ? first : jwt.find('.', first + 1);
  if (second == jwt.npos) return false;
  const json header = decode_part(jwt.substr(0, first));
  const json claims = decode_part(jwt.substr(first + 1, second - first - 1));
  if (header.is_discarded() || claims.is_discarded()) return false;
  if (!is_text(header, "alg", "ES256") || !is_text(header, "kid", key_.key_id) ||
      !is_text(claims, "iss", key_.team_id)) {
    return false;
  }
  const auto iat = claims.find("iat");
  if (iat == claims.end() || !iat->is_number_integer()) return false;
  const auto seconds = iat->get<std::int64_t>();
  if (seconds < 0 || seconds > 253'402'300'799) return false;  // the year 9999
  issued_at = std::chrono::seconds(seconds);
  const std::optional<std::string> signature = base::base64url_decode(jwt.substr(second + 1));
  return signature && signature_matches(jwt.substr(0, second), *signature);
}

bool ProviderTokenChecker::signature_matches(std::string_view signed_part,
                                             std::string_view signature) const {
  if (signature.size() != 2 * kCoordinateSize) return false;
  const std::string der = der_signature(signature);
  const DigestHandle digest(EVP_MD_CTX_new());
  const bool ok =
      !der.empty() && digest &&
      EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key_.key.get()) == 1 &&
      EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                       reinterpret_cast<const unsigned char*>(signed_part.data()),
                       signed_part.size()) == 1;
  ERR_clear_error();
  return ok;
}

Expected<KeyHandle> load_or_make_key(const std::filesystem::path& path) {
  auto pem = read_file(path);
  if (!pem && pem.error().code == Errc::not_found) {
    auto key = make_p256_key();
    if (!key) return key;
    auto text = private_key_pem(**key);
    if (!text) return fail(text.error());
    if (auto written = replace_file(path, *text, FileMode::owner_only); !written) {
      return fail(written.error());
    }
    return key;
  }
  if (!pem) return fail(pem.error());

  const auto open = [&pem] {
    return BioHandle(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  };
  KeyHandle key(PEM_read_bio_PrivateKey(open().get(), nullptr, nullptr, nullptr));
  if (!key) key.reset(PEM_read_bio_PUBKEY(open().get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  char group[32] = "";
  if (!key || EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    return fail(Errc::invalid, path.string() + " holds no EC P-256 key in PEM");
  }
  return key;
}

}  // namespace notify::simulator
