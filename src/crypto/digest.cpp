#include "crypto/digest.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace notify::crypto {

base::Digest digest(std::string_view text) {
  // Fetched once: SHA256() and EVP_sha256() look the algorithm up again for each text.
  static EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> full{};
  if (EVP_Digest(text.data(), text.size(), full.data(), nullptr, kSha256, nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  base::Digest digest{};
  std::copy_n(full.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace notify::crypto
