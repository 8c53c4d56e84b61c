#pragma once
// A pool, its world, and a way to send many requests at once and wait for what becomes of them.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "fakes/run.hpp"
#include "integration/net_http2/private_ca.hpp"
#include "integration/net_http2/scripted_server.hpp"
#include "net/http2/pool.hpp"

namespace notify::http2 {

struct PoolFixture : testing::Test {
  boost::asio::io_context context{1};
  base::SystemClock clock;
  async::Timers timers{context.get_executor(), clock};
  base::SeededRng rng{7};
  std::unique_ptr<ScriptedServer> server;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<async::TaskGroup> senders = new_group();
  std::vector<std::optional<Result>> results;

  static void escaped(std::string_view what) { ADD_FAILURE() << "escaped: " << what; }

  std::unique_ptr<async::TaskGroup> new_group() {
    return std::make_unique<async::TaskGroup>(context.get_executor(), escaped);
  }

  void start_server(ServerScript script) {
    server = std::make_unique<ScriptedServer>(context.get_executor(), std::move(script));
  }

  [[nodiscard]] PoolOptions options() const {
    PoolOptions options;
    if (server) options.origin = server->origin();
    options.tls.ca_file = PrivateCa::instance().ca;
    options.backoff_min = std::chrono::milliseconds(10);
    return options;
  }

  void open_pool(PoolOptions with) {
    auto made = Pool::create(std::move(with), timers, rng, escaped);
    ASSERT_TRUE(made) << made.error().detail;
    pool = std::move(*made);
  }

  /// Starts `count` requests; results[i] is filled when the i-th ends.
  void start(std::size_t count, std::chrono::milliseconds deadline = std::chrono::seconds(30),
             std::string body = "{}") {
    results.assign(count, std::nullopt);
    for (std::size_t i = 0; i < count; ++i) {
      senders->spawn(
          async::store_result(pool->send({.path = "/3/device/" + std::to_string(i), .body = body},
                                         timers.after(deadline)),
                              results[i]));
    }
  }

  /// Runs the loop until `condition` holds; each handler may be the one that makes it hold.
  template <class Condition>
  void run_until(Condition condition) {
    context.restart();
    while (!condition()) {
      if (context.run_one_for(std::chrono::seconds(60)) == 0) {
        FAIL() << "nothing happened for a minute, or nothing is left to happen";
      }
    }
  }

  void finish() {
    fakes::run(context, senders->join());
    senders = new_group();
  }

  void send_all(std::size_t count, std::chrono::milliseconds deadline = std::chrono::seconds(30),
                std::string body = "{}") {
    start(count, deadline, std::move(body));
    finish();
  }

  void expect_all(int status) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_TRUE(results[i]) << i;
      ASSERT_TRUE(*results[i]) << i << ": " << results[i]->error().error.detail;
      ASSERT_EQ((*results[i])->status, status) << i;
    }
  }

  void expect_failure(std::size_t i, base::Errc code, Processed processed) {
    ASSERT_TRUE(results.at(i)) << i;
    ASSERT_FALSE(*results[i]) << i;
    EXPECT_EQ(results[i]->error().error.code, code) << results[i]->error().error.detail;
    EXPECT_EQ(results[i]->error().processed, processed) << results[i]->error().error.detail;
  }

  void TearDown() override {
    if (pool) fakes::run(context, pool->stop(timers.after(std::chrono::seconds(2))));
    finish();
    if (server) fakes::run(context, server->stop());
  }
};

/// For `on_request`: a server that never answers.
inline void hang(ScriptedConnection&, const ReceivedRequest&) {}

}  // namespace notify::http2
