// What the pool makes of a peer that goes away, hangs, cuts, refuses, or is not there.

#include "integration/net_http2/pool_fixture.hpp"
#include "integration/net_http2/process.hpp"

namespace notify::http2 {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

using PoolFaultsTest = PoolFixture;

TEST_F(PoolFaultsTest, GoAwayResendsWhatThePeerDidNotProcessOnAnotherConnection) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    // The first connection answers two, then goes away in the middle of many.
    if (connection.number == 0 && connection.peer.requests == 3) {
      connection.peer.go_away(request.id, R"({"reason":"Shutdown"})");
    }
    if (connection.number != 0 || connection.peer.requests <= 3) {
      connection.peer.respond(request.id, 200);
    }
  }});
  open_pool(options());
  send_all(2);
  send_all(40);
  expect_all(200);
  const PoolCounters counters = pool->counters();
  EXPECT_EQ(counters.traffic.goaways, 1u);
  EXPECT_EQ(counters.resent, 39u);
  EXPECT_EQ(counters.connections_opened, 2u);
  EXPECT_EQ(server->connections.at(1)->peer.requests, 39u);
}

TEST_F(PoolFaultsTest, AConnectionThatWasToldToGoAwayIsClosedWhenItsLastStreamEnds) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.peer.respond(request.id, 200);
    connection.peer.go_away(request.id, "");
  }});
  open_pool(options());
  send_all(1);
  expect_all(200);
  run_until([this] { return pool->counters().connections_open == 0; });
}

TEST_F(PoolFaultsTest, AHangingStreamEndsAtItsDeadlineAndOnlyThat) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (connection.peer.requests != 2) connection.peer.respond(request.id, 200);
  }});
  open_pool(options());
  send_all(1);
  send_all(1, milliseconds(30));
  expect_failure(0, Errc::timed_out, Processed::unknown);
  EXPECT_EQ(pool->counters().traffic.timeouts, 1u);
  send_all(5);
  expect_all(200);
  EXPECT_EQ(pool->counters().connections_opened, 1u);
  ASSERT_EQ(server->connections.at(0)->peer.resets.size(), 1u);
  EXPECT_EQ(server->connections[0]->peer.resets[0].second, std::uint32_t{NGHTTP2_CANCEL});
}

TEST_F(PoolFaultsTest, ACutConnectionFailsItsStreamsAsUnknownAndIsReplaced) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (connection.number == 0 && connection.peer.requests == 11) return connection.cut();
    if (connection.number != 0 || connection.peer.requests == 1) {
      connection.peer.respond(request.id, 200);
    }
  }});
  open_pool(options());
  send_all(1);
  send_all(10);
  for (std::size_t i = 0; i < 10; ++i) expect_failure(i, Errc::unavailable, Processed::unknown);
  EXPECT_EQ(pool->counters().resent, 0u);
  send_all(10);
  expect_all(200);
  EXPECT_EQ(pool->counters().connections_opened, 2u);
}

TEST_F(PoolFaultsTest, ARefusedStreamIsSentAgain) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (connection.peer.requests == 2) {
      connection.peer.reset(request.id, NGHTTP2_REFUSED_STREAM);
    } else {
      connection.peer.respond(request.id, 200);
    }
  }});
  open_pool(options());
  send_all(1);
  send_all(1);
  expect_all(200);
  EXPECT_EQ(pool->counters().refused, 1u);
  EXPECT_EQ(pool->counters().resent, 1u);
}

TEST_F(PoolFaultsTest, AnAnswerThatEndsItsConnectionIsTriedOnceMoreOnAnother) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    const bool ends = connection.number == 0 && connection.peer.requests > 1;
    connection.peer.respond(request.id, ends ? 503 : 200);
  }});
  PoolOptions with = options();
  with.ends_connection = [](const Response& response) { return response.status == 503; };
  open_pool(with);
  send_all(1);
  send_all(3);
  expect_all(200);
  EXPECT_EQ(pool->counters().resent, 3u);
  EXPECT_EQ(pool->counters().requests, 7u);
  EXPECT_EQ(pool->counters().connections_opened, 2u);
  run_until([this] { return pool->counters().connections_open == 1; });
}

TEST_F(PoolFaultsTest, AnAnswerThatEndsOneConnectionAfterTheOtherIsGivenBack) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.peer.respond(request.id, 503);
  }});
  PoolOptions with = options();
  with.ends_connection = [](const Response& response) { return response.status == 503; };
  open_pool(with);
  send_all(1);
  expect_all(503);
  EXPECT_EQ(pool->counters().requests, 2u);
}

TEST_F(PoolFaultsTest, ResendingIsBounded) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    connection.peer.reset(request.id, NGHTTP2_REFUSED_STREAM);
  }});
  open_pool(options());
  send_all(1);
  expect_failure(0, Errc::unavailable, Processed::no);
  EXPECT_EQ(pool->counters().resent, 3u);
  EXPECT_EQ(server->connections.at(0)->peer.requests, 4u);
}

TEST_F(PoolFaultsTest, APeerThatDoesNotAnswerPingLosesItsConnection) {
  start_server({.answer_pings = false, .on_request = hang});
  PoolOptions with = options();
  with.ping_busy = milliseconds(20);
  with.ping_timeout = milliseconds(20);
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::unavailable, Processed::unknown);
  EXPECT_EQ(server->connections.at(0)->peer.pings, 1u);
}

TEST_F(PoolFaultsTest, APeerThatAnswersPingKeepsItsConnection) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (connection.peer.requests == 1) connection.peer.respond(request.id, 200);
  }});
  PoolOptions with = options();
  with.ping_busy = with.ping_idle = milliseconds(10);
  with.ping_timeout = seconds(10);
  open_pool(with);
  send_all(1);
  run_until([this] { return server->connections[0]->peer.pings >= 3; });  // idle
  start(1);
  run_until([this] { return server->connections[0]->peer.pings >= 6; });  // busy
  EXPECT_EQ(pool->counters().connections_open, 1u);
  EXPECT_EQ(pool->counters().streams_open, 1u);
  server->connections[0]->peer.respond(3, 200);
  server->connections[0]->flush();
  finish();
  expect_all(200);
}

TEST_F(PoolFaultsTest, FailsFastWhenConnectingKeepsFailing) {
  PoolOptions with = options();
  with.origin = "http://127.0.0.1:" + std::to_string(free_port());
  with.backoff_min = milliseconds(1);
  with.backoff_max = seconds(3600);
  with.failures_to_fail_fast = 3;
  open_pool(with);
  send_all(5, seconds(600));
  for (std::size_t i = 0; i < 5; ++i) expect_failure(i, Errc::unavailable, Processed::no);
  EXPECT_EQ(pool->counters().connect_failures, 3u);
}

TEST_F(PoolFaultsTest, AWaitingRequestFailsAtItsDeadline) {
  PoolOptions with = options();
  with.origin = "http://127.0.0.1:" + std::to_string(free_port());
  with.backoff_min = with.backoff_max = seconds(3600);
  open_pool(with);
  send_all(1, milliseconds(20));
  expect_failure(0, Errc::timed_out, Processed::no);
  EXPECT_EQ(pool->counters().waiting, 0u);
}

TEST_F(PoolFaultsTest, AHandshakeThatHangsFailsByItsOwnName) {
  start_server({.handshake = false});
  PoolOptions with = options();
  with.timeouts.handshake = milliseconds(30);
  with.failures_to_fail_fast = 1;
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::timed_out, Processed::no);
  EXPECT_TRUE((*results[0]).error().error.detail.starts_with("TLS handshake"));
}

TEST_F(PoolFaultsTest, AServerWithoutAlpnIsRefused) {
  start_server({.alpn = false});
  PoolOptions with = options();
  with.failures_to_fail_fast = 1;
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::unavailable, Processed::no);
  EXPECT_NE((*results[0]).error().error.detail.find("h2"), std::string::npos);
}

TEST_F(PoolFaultsTest, APeerThatSpeaksNoHttp2FailsTheRequest) {
  start_server({.tls = false, .on_request = hang});
  PoolOptions with = options();
  with.origin = "https://localhost:" + std::to_string(server->port());
  with.failures_to_fail_fast = 1;
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::unavailable, Processed::no);
}

TEST_F(PoolFaultsTest, ACancelledSenderResetsItsStreamAndGivesItBack) {
  start_server({.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
    if (connection.peer.requests == 1) connection.peer.respond(request.id, 200);
  }});
  open_pool(options());
  send_all(1);
  start(3);
  ScriptedConnection& connection = *server->connections[0];
  run_until([&connection] { return connection.peer.requests == 4; });
  fakes::run(context, senders->stop());
  senders = new_group();
  EXPECT_EQ(pool->counters().streams_open, 0u);
  run_until([&connection] { return connection.peer.resets.size() == 3; });
}

TEST_F(PoolFaultsTest, CancelledWaitersLeaveTheQueue) {
  start_server({.handshake = false});
  open_pool(options());
  start(3);
  run_until([this] { return pool->counters().waiting == 3; });
  fakes::run(context, senders->stop());
  senders = new_group();
  EXPECT_EQ(pool->counters().waiting, 0u);
}

TEST(Pool, RefusesAnOriginOrRootsThatCannotBeUsed) {
  boost::asio::io_context context;
  const base::SystemClock clock;
  async::Timers timers(context.get_executor(), clock);
  base::SeededRng rng(1);
  EXPECT_EQ(Pool::create({.origin = "nowhere"}, timers, rng, nullptr).error().code, Errc::invalid);
  EXPECT_EQ(Pool::create({.origin = "https://a", .tls = {.ca_file = "/no/such/file"}}, timers, rng,
                         nullptr)
                .error()
                .code,
            Errc::invalid);
}

}  // namespace
}  // namespace notify::http2
