#include "integration/storage/fixture.hpp"

#include <memory>

namespace notify::storage_test {

namespace {

std::unique_ptr<fakes::PrivatePostgres> the_postgres;
std::unique_ptr<fakes::PrivateRedis> the_redis;

class Servers final : public ::testing::Environment {
 public:
  void TearDown() override {
    the_postgres.reset();
    the_redis.reset();
  }
};

[[maybe_unused]] const ::testing::Environment* const kServers =
    ::testing::AddGlobalTestEnvironment(new Servers);

}  // namespace

fakes::PrivatePostgres& postgres() {
  if (!the_postgres) the_postgres = std::make_unique<fakes::PrivatePostgres>();
  return *the_postgres;
}

fakes::PrivateRedis& redis_server() {
  if (!the_redis) {
    the_redis = std::make_unique<fakes::PrivateRedis>(fakes::PrivateRedis::Options{.tls = true});
  }
  return *the_redis;
}

async::Task<void> until(async::Timers& timers, std::function<bool()> holds) {
  const base::Deadline limit = timers.after(10s);
  while (!holds() && !limit.passed(timers.clock().steady_now())) co_await timers.sleep_for(2ms);
}

}  // namespace notify::storage_test
