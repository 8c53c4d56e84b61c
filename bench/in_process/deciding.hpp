#pragma once
// What deciding costs with nothing around it: in one thread, the settings in memory.

#include <string>

#include "base/clock.hpp"
#include "load_generator/options.hpp"

namespace notify::bench {

/// JSON: nanoseconds of a decision and of a look into the settings cache, each for users who have
/// set nothing and for users who have set much, beside the raw blocks of both: the wall clock of a
/// zone, and a hash map with as many users. And the bytes that a user takes in the cache.
[[nodiscard]] std::string measure_deciding(const DecidingOptions& options,
                                           const base::Clock& clock);

}  // namespace notify::bench
