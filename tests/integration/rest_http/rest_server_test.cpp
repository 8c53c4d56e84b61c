// The REST server on real sockets: limits, time, and the end. What is answered is tested without
// sockets; here the description, which needs no token, stands for all of it.

#include "edges/rest/rest_server.hpp"

#include <gtest/gtest.h>
#include <sstream>

#include "fakes/run.hpp"
#include "integration/rest_http/raw_client.hpp"

namespace notify::edges::rest {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using rest_test::RawClient;

class RestHttp : public ::testing::Test {
 protected:
  void start(RestOptions options = {}) {
    options.on_done = [this](unsigned status, std::chrono::nanoseconds) {
      statuses_.push_back(status);
    };
    listener_ = http::Listener::open("127.0.0.1", 0).value();
    port_ = listener_->port();
    server_ = std::make_unique<RestServer>(listener_->share(context_.get_executor()).value(),
                                           timers_, api_, std::move(options), log_);
    server_->start();
  }
  void TearDown() override {
    if (server_) fakes::run(context_, server_->stop(timers_.after(5s)));
  }
  /// Sends these bytes on a connection of their own and returns all that comes back.
  std::string ask(const std::string& bytes) {
    return fakes::run(context_, exchange(context_, port_, bytes));
  }
  static async::Task<std::string> exchange(asio::io_context& context, std::uint16_t port,
                                           std::string bytes) {
    RawClient client(context, port);
    co_await client.send(std::move(bytes));
    co_return co_await client.read_all();
  }

  asio::io_context context_{1};
  base::SystemClock clock_;
  async::Timers timers_{context_.get_executor(), clock_};
  RestApi api_{RouteTable::create({}).value(),
               Authenticator(nullptr, {}, clock_),
               {.cors_origins = {"https://app.example"}, .openapi = R"({"openapi":"3.0.3"})"}};
  std::ostringstream log_text_;
  telemetry::LogOutput log_output_{{}, clock_, log_text_};
  telemetry::Log log_{log_output_};
  std::unique_ptr<http::Listener> listener_;
  std::unique_ptr<RestServer> server_;
  std::uint16_t port_ = 0;
  std::vector<unsigned> statuses_;
};

const std::string kGet = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n";

TEST_F(RestHttp, AnswersWithTheHeadersThatApisHave) {
  start();
  const std::string answer = ask(kGet + "Origin: https://app.example\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"openapi\":\"3.0.3\"}")) << answer;
  for (const char* header : {"Content-Type: application/json\r\n", "Cache-Control: no-store\r\n",
                             "X-Content-Type-Options: nosniff\r\n", "Vary: Origin\r\n",
                             "Access-Control-Allow-Origin: https://app.example\r\n"}) {
    EXPECT_NE(answer.find(header), answer.npos) << header;
  }
  EXPECT_EQ(statuses_, std::vector<unsigned>{200});
}

async::Task<void> expect_answers_in_order(asio::io_context& context, std::uint16_t port) {
  RawClient client(context, port);
  co_await client.send(kGet + "\r\n" + kGet + "\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE((co_await client.read_answer()).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE((co_await client.read_answer()).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE((co_await client.read_answer()).starts_with("HTTP/1.1 404 "));
  co_await client.send("HEAD /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string head = co_await client.read_all();
  EXPECT_NE(head.find("Content-Length: 19\r\n"), head.npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(RestHttp, KeepsConnectionsAndTheOrderOfWhatCameAtOnce) {
  start();
  fakes::run(context_, expect_answers_in_order(context_, port_));
}

TEST_F(RestHttp, WhatIsTooLargeIsRefusedByName) {
  start({.header_max_bytes = 2000, .request_max_bytes = 1000});
  const std::string large = ask("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413 ")) << large;
  EXPECT_NE(large.find("BODY_TOO_LARGE"), large.npos);
  EXPECT_NE(large.find("Connection: close\r\n"), large.npos);
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nX: " + std::string(3000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_F(RestHttp, ABodyThatIsNotReadEndsTheConnection) {
  start();
  const std::string answer =
      ask("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + kGet + "\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << answer;
  EXPECT_EQ(statuses_, std::vector<unsigned>{404});
}

TEST_F(RestHttp, ARequestThatDoesNotArriveInTimeIs408) {
  start({.request_timeout = 50ms});
  EXPECT_TRUE(ask("GET /openapi.json HT").starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(statuses_, std::vector<unsigned>{408});
}

TEST_F(RestHttp, AConnectionThatSaysNothingIsClosed) {
  start({.idle_timeout = 50ms});
  EXPECT_EQ(ask(""), "");
}

async::Task<void> expect_the_idle_one_makes_room(asio::io_context& context, std::uint16_t port) {
  RawClient first(context, port);
  co_await first.send(kGet + "\r\n");
  EXPECT_TRUE((co_await first.read_answer()).starts_with("HTTP/1.1 200 "));
  RawClient second(context, port);
  co_await second.send("GET /open");  // busy
  RawClient third(context, port);
  co_await third.send(kGet + "Connection: close\r\n\r\n");
  EXPECT_TRUE((co_await third.read_all()).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(co_await first.read_all(), "");
  co_await second.send("api.json HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE((co_await second.read_answer()).starts_with("HTTP/1.1 200 "));
}

TEST_F(RestHttp, AtTheLimitTheOneIdleForLongestMakesRoom) {
  start({.connections_max = 2});
  fakes::run(context_, expect_the_idle_one_makes_room(context_, port_));
}

async::Task<void> expect_drained(asio::io_context& context, std::uint16_t port, RestServer& server,
                                 http::Listener& listener) {
  RawClient idle(context, port);
  co_await idle.send(kGet + "\r\n");
  EXPECT_TRUE((co_await idle.read_answer()).starts_with("HTTP/1.1 200 "));
  RawClient busy(context, port);
  co_await busy.send("GET /openapi.json HT");
  co_await idle.send(kGet + "\r\n");
  co_await idle.read_answer();  // by now the server has read what the busy one sent
  listener.close();
  server.drain();
  EXPECT_EQ(co_await idle.read_all(), "");
  co_await busy.send("TP/1.1\r\nHost: x\r\n\r\n");
  const std::string last = co_await busy.read_all();
  EXPECT_TRUE(last.starts_with("HTTP/1.1 200 ")) << last;
  EXPECT_NE(last.find("Connection: close\r\n"), last.npos) << last;
  EXPECT_THROW(RawClient(context, port), boost::system::system_error);
}

TEST_F(RestHttp, DrainingAnswersWhatHasBegunAndRefusesTheRest) {
  start();
  fakes::run(context_, expect_drained(context_, port_, *server_, *listener_));
}

TEST_F(RestHttp, TwoWorkersShareOnePort) {
  start();
  RestServer second(listener_->share(context_.get_executor()).value(), timers_, api_, {}, log_);
  second.start();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(ask(kGet + "Connection: close\r\n\r\n").starts_with("HTTP/1.1 200 "));
  }
  fakes::run(context_, second.stop(timers_.after(5s)));
  EXPECT_TRUE(ask(kGet + "Connection: close\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_F(RestHttp, APortInUseIsAnError) {
  start();
  const auto second = http::Listener::open("127.0.0.1", port_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::Errc::unavailable);
  EXPECT_EQ(http::Listener::open("no host", 0).error().code, base::Errc::invalid);
}

}  // namespace
}  // namespace notify::edges::rest
