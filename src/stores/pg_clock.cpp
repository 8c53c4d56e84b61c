#include "stores/pg_clock.hpp"

namespace notify::stores {
namespace {

constexpr pg::Statement kClock = {"clock",
                                  "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"};

}  // namespace

async::Task<base::Expected<std::chrono::milliseconds>> clock_offset(pg::Pool& pool,
                                                                    const base::Clock& clock,
                                                                    base::Deadline deadline) {
  const base::WallTime asked = clock.now();
  const auto result = co_await pool.query({kClock, {}}, deadline);
  const base::WallTime answered = clock.now();
  if (!result) co_return base::fail(result.error().error);
  const auto theirs = result->int64(0, 0);
  if (!theirs) co_return base::fail(theirs.error());
  const base::WallTime middle = asked + (answered - asked) / 2;
  co_return middle - base::WallTime(std::chrono::milliseconds(*theirs));
}

}  // namespace notify::stores
