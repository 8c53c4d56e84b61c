#pragma once
// How a lease is divided among the priorities (decision D-12: 16 to 4 to 1, with an age bound).

#include <array>
#include <cstddef>
#include <cstdint>

namespace notify::stores {

using LeaseShares = std::array<std::size_t, 3>;  ///< by priority: high, medium, low

/// What a priority showed when it was last asked.
enum class LeaseDemand : std::uint8_t {
  sated = 0,  ///< it had fewer than were asked for
  hungry,     ///< it has more
  overdue,    ///< it has more, and what is next has waited for longer than the age bound
};

/// Divides `max` by weight among the priorities that have more; one that is overdue weighs as much
/// as the highest. The others are asked for a few, to see whether something has come. While `max`
/// has no room for all, one gets everything; by `turn`, so that over 21 turns each has as many as
/// its weight.
[[nodiscard]] LeaseShares lease_shares(std::size_t max, const std::array<LeaseDemand, 3>& demand,
                                       std::size_t turn);

}  // namespace notify::stores
