#pragma once
// When a peer asks to be called again: the Retry-After header of any provider.

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace notify::rules {

/// Longer wishes count as this: no retry is planned later anyway.
inline constexpr std::chrono::seconds kRetryAfterMax = std::chrono::hours(24);

/// The wait that a Retry-After header asks for, from `now` on: seconds, or an HTTP date in any of
/// its three forms. A date that has passed is a wait of 0. nullopt for anything else.
/// Source: RFC 9110 §10.2.3 (Retry-After), §5.6.7 (the dates: IMF-fixdate, RFC 850, asctime).
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view text,
                                                                    base::WallTime now);

}  // namespace notify::rules
