#pragma once
// A short name for any text: equal texts have equal digests, others do not.

#include <string_view>

#include "base/digest.hpp"

namespace notify::crypto {

/// The first 16 bytes of SHA-256 (FIPS 180-4; truncation: NIST SP 800-107 §5.1).
[[nodiscard]] base::Digest digest(std::string_view text);

}  // namespace notify::crypto
