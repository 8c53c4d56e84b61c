#include "crypto/digest.hpp"

#include <openssl/sha.h>

#include <algorithm>

namespace notify::crypto {

base::Digest digest(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> full{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), full.data());
  base::Digest digest{};
  std::copy_n(full.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace notify::crypto
