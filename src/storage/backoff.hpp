#pragma once
// How long to wait before connecting again.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/rng.hpp"

namespace notify::storage {

/// Doubles with each failure up to `longest`; of that between half and all, so that a restarted
/// server is not met by all nodes at once.
[[nodiscard]] inline std::chrono::microseconds backoff(base::Rng& rng, int failures,
                                                       std::chrono::milliseconds shortest,
                                                       std::chrono::milliseconds longest) {
  const std::int64_t doubled = shortest.count() << std::clamp(failures, 0, 16);
  const std::chrono::microseconds whole = std::min(std::chrono::milliseconds(doubled), longest);
  const std::int64_t half = whole.count() / 2;
  return std::chrono::microseconds(
      half + static_cast<std::int64_t>(rng.below(static_cast<std::uint32_t>(half) + 1)));
}

}  // namespace notify::storage
