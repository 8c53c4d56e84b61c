#include "push-simulator/provider_token.hpp"

#include <openssl/pem.h>

#include <optional>

#include "push-simulator/certificates.hpp"
#include "push-simulator/files.hpp"
#include "push-simulator/jws.hpp"

namespace notify::simulator {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

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
  const std::optional<Jws> jws = parse_jws(jwt);
  if (!jws) return false;
  if (!is_text(jws->header, "alg", "ES256") || !is_text(jws->header, "kid", key_.key_id) ||
      !is_text(jws->claims, "iss", key_.team_id)) {
    return false;
  }
  const auto iat = jws->claims.find("iat");
  if (iat == jws->claims.end() || !iat->is_number_integer()) return false;
  const auto seconds = iat->get<std::int64_t>();
  if (seconds < 0 || seconds > 253'402'300'799) return false;  // the year 9999
  issued_at = std::chrono::seconds(seconds);
  return is_es256(*key_.key, jws->signed_part, jws->signature);
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
