#pragma once
// 128 bits that stand for a text; crypto/digest.hpp makes them.

#include <array>
#include <cstdint>

namespace notify::base {

using Digest = std::array<std::uint8_t, 16>;

}  // namespace notify::base
