#pragma once
// A pool on the shared PostgreSQL.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "integration/storage/fixture.hpp"
#include "storage/pg/pool.hpp"

namespace notify::storage_test {

class PgTest : public LoopTest {
 protected:
  using Outcome = std::optional<pg::Expected<std::vector<pg::Result>>>;

  void open(pg::PoolOptions options = {}) { open_at(postgres().url(), std::move(options)); }
  void open_at(const std::string& url, pg::PoolOptions options) {
    options.on_event = [this](std::string_view what) { events.emplace_back(what); };
    pool =
        std::make_unique<pg::Pool>(timers, rng, base::Secret(url), std::move(options), no_escape());
    pool->start();
  }
  void TearDown() override {
    if (pool) run(pool->stop(in(1s)));
  }

  [[nodiscard]] pg::Expected<pg::Result> query(pg::Statement statement, pg::Params params = {},
                                               std::chrono::milliseconds limit = 10s) {
    return run(pool->query(pg::Query{statement, std::move(params)}, in(limit)));
  }
  [[nodiscard]] std::int64_t number(pg::Statement statement) {
    auto result = query(statement);
    if (!result) {
      ADD_FAILURE() << result.error().error.detail;
      return -1;
    }
    return result->int64(0, 0).value_or(-1);
  }

  std::unique_ptr<pg::Pool> pool;
  std::vector<std::string> events;
};

/// One call whose outcome is looked at later.
inline async::Task<void> call(pg::Pool& pool, std::vector<pg::Query> queries,
                              base::Deadline deadline,
                              std::optional<pg::Expected<std::vector<pg::Result>>>& outcome) {
  outcome.emplace(co_await pool.transaction(std::move(queries), deadline));
}

}  // namespace notify::storage_test
