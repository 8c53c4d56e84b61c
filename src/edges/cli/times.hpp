#pragma once
// Times and durations as people type them.

#include <chrono>
#include <string_view>

#include "base/clock.hpp"
#include "base/expected.hpp"

namespace notify::edges {

/// "90s", "15m", "2h", "3d": a whole number and its unit; at most ten years.
/// Errors: Errc::invalid, with the forms that are allowed.
[[nodiscard]] base::Expected<std::chrono::seconds> parse_duration(std::string_view text);

/// "2026-11-22T23:54:25Z", or a duration: so long before `now`.
/// Errors: Errc::invalid, with the forms that are allowed.
[[nodiscard]] base::Expected<base::WallTime> parse_instant(std::string_view text,
                                                           base::WallTime now);

/// "150 ms", "2.5 s", "15 min", "3 h".
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace notify::edges
