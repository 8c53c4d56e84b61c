#pragma once
// How a lease is divided among the priorities (decision D-12: 16 to 4 to 1).

#include <array>
#include <cstddef>

namespace notify::stores {

using LeaseShares = std::array<std::size_t, 3>;  ///< by priority: high, medium, low

/// Divides `max` by weight among the priorities that were `hungry`, that is, gave all that was
/// asked of them the last time; the others are asked for a few, to see whether something has come.
/// While `max` has no room for all, one gets everything; by `turn`, so that over 21 turns each
/// has as many as its weight.
[[nodiscard]] LeaseShares lease_shares(std::size_t max, const std::array<bool, 3>& hungry,
                                       std::size_t turn);

}  // namespace notify::stores
