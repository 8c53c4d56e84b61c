#pragma once
// Commands that need the database for a moment: a pool of one connection, one task, and out.

#include <functional>

#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "config/config.hpp"
#include "storage/pg/pool.hpp"

namespace notify::app {

using DatabaseTask =
    std::function<async::Task<base::Expected<void>>(pg::Pool& pool, async::Timers& timers)>;

/// Threading: blocks until the task has ended.
[[nodiscard]] base::Expected<void> run_with_database(const config::Config& config,
                                                     DatabaseTask task);

}  // namespace notify::app
