#pragma once
// What must be true of a run that is over. Each check says what is wrong in words, with ids.

#include <string>
#include <vector>

#include "sim/world.hpp"

namespace notify::sim {

/// Everything that is wrong; empty if nothing is.
[[nodiscard]] std::vector<std::string> check(const World& world, bool is_over);

/// Sends of one notification to one device beyond those that the ledger asked for.
[[nodiscard]] std::size_t repeats(const World& world);

}  // namespace notify::sim
