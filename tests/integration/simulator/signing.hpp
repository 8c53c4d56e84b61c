#pragma once
// Provider tokens as a sender makes them, good and bad: signed by OpenSSL, apart from the code
// under test.

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "base/text.hpp"
#include "push-simulator/openssl_handles.hpp"

namespace notify::simulator::testing {

inline constexpr const char* kKeyId = "ABC123DEFG";
inline constexpr const char* kTeamId = "TEAM567890";

struct TokenParts {
  std::string header = fmt::format(R"({{"alg":"ES256","kid":"{}"}})", kKeyId);
  std::string claims;
};

inline TokenParts parts_issued_at(std::int64_t seconds) {
  TokenParts parts;
  parts.claims = fmt::format(R"({{"iss":"{}","iat":{}}})", kTeamId, seconds);
  return parts;
}

/// The JOSE form R||S of an ECDSA signature over SHA-256.
inline std::string es256(EVP_PKEY& key, const std::string& text) {
  const DigestHandle digest(EVP_MD_CTX_new());
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, &key);
  EVP_DigestSign(digest.get(), nullptr, &size, bytes, text.size());
  std::string der(size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  EVP_DigestSign(digest.get(), out, &size, bytes, text.size());
  const unsigned char* in = out;
  const EcSignatureHandle signature(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(size)));
  std::string raw(64, '\0');
  auto* coordinates = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), coordinates, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), coordinates + 32, 32);
  return raw;
}

inline std::string sign(EVP_PKEY& key, const TokenParts& parts) {
  const std::string text =
      base::base64url_encode(parts.header) + "." + base::base64url_encode(parts.claims);
  return text + "." + base::base64url_encode(es256(key, text));
}

}  // namespace notify::simulator::testing
