#include "app/run_once.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace notify::app {
namespace {

async::Task<void> run(pg::Pool& pool, async::Timers& timers, const DatabaseTask& task,
                      base::Expected<void>& result) {
  pool.start();
  const base::Deadline patience = timers.after(std::chrono::seconds(10));
  while (pool.connected() == 0 && !patience.passed(timers.clock().steady_now())) {
    co_await timers.sleep_for(std::chrono::milliseconds(5));
  }
  if (pool.connected() > 0) {
    result = co_await task(pool, timers);
  } else {
    result = base::fail(base::Errc::unavailable,
                        "cannot connect to PostgreSQL within ten seconds; see postgres.url");
  }
  co_await pool.stop(timers.after(std::chrono::seconds(1)));
}

}  // namespace

base::Expected<void> run_with_database(const config::Config& config, DatabaseTask task) {
  boost::asio::io_context context(1);
  const base::SystemClock clock;
  async::Timers timers(context.get_executor(), clock);
  base::SeededRng rng = base::system_rng();
  pg::PoolOptions options;
  options.connections = 1;
  pg::Pool pool(timers, rng, base::Secret(std::string(config.postgres.url.reveal())), options, {});
  base::Expected<void> result = base::fail(base::Errc::internal, "the task did not end");
  std::exception_ptr failure;
  boost::asio::co_spawn(context, run(pool, timers, task, result), [&](std::exception_ptr e) {
    failure = std::move(e);
    context.stop();
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return result;
}

}  // namespace notify::app
