// The bounds the pool keeps, the gate of a new connection, and how it stops.

#include "integration/net_http2/pool_fixture.hpp"

namespace notify::http2 {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

using PoolLimitsTest = PoolFixture;

TEST_F(PoolLimitsTest, KeepsToAPeerThatAllowsOneStream) {
  start_server({.streams_max = 1});
  PoolOptions with = options();
  with.connections_max = 1;
  open_pool(with);
  send_all(50);
  expect_all(200);
  EXPECT_EQ(server->connections.size(), 1u);
  EXPECT_EQ(server->connections[0]->peer.open_most, 1u);
  EXPECT_EQ(pool->counters().refused, 0u);
}

TEST_F(PoolLimitsTest, KeepsToItsOwnStreamsMax) {
  start_server({});
  PoolOptions with = options();
  with.connections_max = 2;
  with.streams_max = 5;
  open_pool(with);
  send_all(200);
  expect_all(200);
  ASSERT_EQ(server->connections.size(), 2u);
  for (const auto& connection : server->connections) EXPECT_LE(connection->peer.open_most, 5u);
}

TEST_F(PoolLimitsTest, WorksWithoutTls) {
  start_server({.tls = false});
  open_pool(options());
  send_all(100);
  expect_all(200);
}

TEST_F(PoolLimitsTest, ANewConnectionCarriesOneStreamUntilTheCredentialsAreTaken) {
  std::vector<std::int32_t> held;
  start_server({.on_request = [&held](ScriptedConnection&, const ReceivedRequest& request) {
    held.push_back(request.id);
  }});
  open_pool(options());
  start(10);
  const auto answer = [&](int status) {
    ServerPeer& peer = server->connections[0]->peer;
    for (const std::int32_t id : std::exchange(held, {})) peer.respond(id, status);
    server->connections[0]->flush();
  };
  run_until([&held] { return held.size() == 1; });
  context.poll();
  EXPECT_EQ(held.size(), 1u);
  answer(403);
  run_until([&held] { return held.size() == 1; });
  EXPECT_EQ(server->connections[0]->peer.open_most, 1u);
  answer(400);  // about the request: the gate opens
  run_until([&held] { return held.size() == 8; });
  EXPECT_EQ(server->connections.size(), 1u);
  answer(200);
  finish();
}

TEST_F(PoolLimitsTest, RefusesWhatDoesNotFitInTheQueue) {
  start_server({.on_request = hang});
  PoolOptions with = options();
  with.waiting_max = 2;
  open_pool(with);
  start(5, milliseconds(100));
  finish();
  std::size_t overloaded = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result && !*result);
    if (result->error().error.code != Errc::overloaded) continue;
    EXPECT_EQ(result->error().processed, Processed::no);
    ++overloaded;
  }
  EXPECT_EQ(overloaded, 3u);
}

TEST_F(PoolLimitsTest, StopLetsOpenStreamsEndRefusesTheRestAndSaysGoAway) {
  std::vector<std::int32_t> held;
  start_server({.on_request = [&held](ScriptedConnection&, const ReceivedRequest& request) {
    held.push_back(request.id);
  }});
  open_pool(options());
  start(2);  // the second waits behind the gate
  run_until([&held] { return held.size() == 1; });

  auto stopper = new_group();
  stopper->spawn(pool->stop(timers.after(seconds(30))));
  run_until([this] { return results[1].has_value(); });
  expect_failure(1, Errc::unavailable, Processed::no);
  EXPECT_FALSE(results[0].has_value());
  ScriptedConnection& connection = *server->connections[0];
  connection.peer.respond(held[0], 200);
  connection.flush();
  fakes::run(context, stopper->join());
  ASSERT_TRUE(results[0].has_value() && *results[0]);
  EXPECT_EQ(pool->counters().connections_open, 0u);
  run_until([&connection] { return connection.peer.goaways.size() == 1; });

  send_all(1);
  expect_failure(0, Errc::unavailable, Processed::no);
}

TEST_F(PoolLimitsTest, StopGivesUpHangingStreamsAtItsDeadline) {
  start_server({.on_request = hang});
  open_pool(options());
  start(1);
  run_until(
      [this] { return !server->connections.empty() && server->connections[0]->peer.requests; });
  fakes::run(context, pool->stop(timers.after(milliseconds(20))));
  finish();
  expect_failure(0, Errc::unavailable, Processed::unknown);
}

TEST_F(PoolLimitsTest, StopDoesNotWaitForAConnectAttempt) {
  start_server({.handshake = false});
  PoolOptions with = options();
  with.timeouts.handshake = std::chrono::hours(1);
  open_pool(with);
  start(1, std::chrono::hours(1));
  run_until([this] { return !server->connections.empty(); });
  fakes::run(context, pool->stop(timers.after(std::chrono::hours(1))));
  finish();
  expect_failure(0, Errc::unavailable, Processed::no);
}

TEST_F(PoolLimitsTest, ARequestThatHttpForbidsFailsAloneAndIsNotSentAgain) {
  start_server({});
  open_pool(options());
  results.assign(1, std::nullopt);
  senders->spawn(async::store_result(
      pool->send({.path = "/a", .headers = {{"x", "a\nb"}}}, timers.after(seconds(10))),
      results[0]));
  finish();
  expect_failure(0, Errc::invalid, Processed::no);
  EXPECT_EQ(pool->counters().resent, 0u);
  send_all(1);
  expect_all(200);
}

TEST_F(PoolLimitsTest, AResponseThatIsTooLongIsGivenUp) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.peer.respond(request.id, 200, std::string(20'000, 'x'));
  }});
  PoolOptions with = options();
  with.response_body_max = 10'000;
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::corrupt, Processed::unknown);
}

}  // namespace
}  // namespace notify::http2
