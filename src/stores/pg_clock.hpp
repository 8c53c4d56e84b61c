#pragma once
// How far this machine's clock is from the database's: ids and rows carry the one, SQL's now() the
// other, and a node that is too far off must not serve (decision D-5).

#include "base/clock.hpp"
#include "storage/pg/pool.hpp"

namespace notify::stores {

/// Positive: our clock is ahead. Half of the round trip is taken off, so the error is at most that.
[[nodiscard]] async::Task<base::Expected<std::chrono::milliseconds>> clock_offset(
    pg::Pool& pool, const base::Clock& clock, base::Deadline deadline);

}  // namespace notify::stores
