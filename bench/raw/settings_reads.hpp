#pragma once
// What it costs to read the settings of users who are not in memory: from PostgreSQL and from what
// the nodes share in Redis, by the service's own stores, one read at a time.

#include <string>

#include "load_generator/options.hpp"

namespace notify::bench {

/// Writes rows of users of its own into the database, and their hashes into Redis.
/// Errors: throws std::runtime_error with what PostgreSQL or Redis said.
/// Returns a JSON array, one object for each kind of read: from, has_settings, batch, and
/// microseconds for each user: elapsed_us, client_cpu_us (this process), server_cpu_us.
[[nodiscard]] std::string read_settings(const SettingsReadOptions& options);

}  // namespace notify::bench
