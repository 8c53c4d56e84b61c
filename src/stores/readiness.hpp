#pragma once
// Whether the databases do what this node needs of them now. Asked once a second for /readyz: an
// open connection proves little, a write that succeeded proves that writes succeed (ADR 0021).

#include <string_view>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "storage/pg/pool.hpp"
#include "storage/redis/client.hpp"

namespace notify::stores {

/// Commits a message of no content to PostgreSQL's log: no table grows, and the commit waits for
/// the disk and for synchronous standbys, as every other commit does. Errors: Errc::unavailable if
/// it is read-only; otherwise as Pool.
[[nodiscard]] async::Task<base::Expected<void>> try_write(pg::Pool& pool, base::Deadline deadline);

/// Sets the key notification:probe, which lasts for a minute. Unlike what keeps nodes alive this
/// write is refused when Redis has no memory left, as enqueueing is.
/// Errors: as Client.
[[nodiscard]] async::Task<base::Expected<void>> try_write(redis::Client& client,
                                                          base::Deadline deadline);

/// Whether this change of db/sqitch.plan is deployed.
/// Errors: as Pool.
[[nodiscard]] async::Task<base::Expected<bool>> schema_has(pg::Pool& pool, std::string_view change,
                                                           base::Deadline deadline);

}  // namespace notify::stores
