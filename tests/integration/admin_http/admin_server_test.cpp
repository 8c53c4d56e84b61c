// The admin server on real sockets, with a client that sends bytes and reads bytes.

#include "edges/http/admin_server.hpp"

#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fakes/run.hpp"

namespace notify::edges::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Json = nlohmann::json;

class Client {
 public:
  Client(asio::io_context& context, std::uint16_t port) : socket_(context) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), port});
  }
  async::Task<void> send(std::string bytes) {
    co_await asio::async_write(socket_, asio::buffer(bytes), async::kUseAwaitable);
  }
  /// All until the server closes the connection.
  async::Task<std::string> read_all() {
    std::string text;
    boost::system::error_code error;
    co_await asio::async_read(socket_, asio::dynamic_buffer(text),
                              asio::redirect_error(async::kUseAwaitable, error));
    co_return text;
  }
  /// One answer, as long as its Content-Length says, or its header only.
  async::Task<std::string> read_answer(bool header_only = false) {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      std::array<char, 1> byte{};
      co_await socket_.async_read_some(asio::buffer(byte), async::kUseAwaitable);
      text += byte[0];
      if (wanted == std::string::npos && text.ends_with("\r\n\r\n")) {
        const std::size_t at = text.find("Content-Length: ");
        const std::size_t length = std::stoul(text.substr(at + 16));
        wanted = text.size() + (header_only ? 0 : length);
      }
    }
    co_return text;
  }

 private:
  tcp::socket socket_;
};

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

class AdminHttp : public ::testing::Test {
 protected:
  void start(AdminOptions options = {}) {
    options.port = 0;
    server_ = std::make_unique<AdminServer>(context_.get_executor(), timers_, options,
                                            AdminSources{registry_, health_}, log_);
    const auto port = server_->start();
    ASSERT_TRUE(port) << port.error().detail;
    port_ = *port;
  }
  void TearDown() override {
    if (server_) fakes::run(context_, server_->stop());
  }
  /// Sends one request on its own connection and returns all that comes back.
  std::string ask(const std::string& request) {
    return fakes::run(context_, exchange(context_, port_, request));
  }
  static async::Task<std::string> exchange(asio::io_context& context, std::uint16_t port,
                                           std::string request) {
    Client client(context, port);
    co_await client.send(std::move(request));
    co_return co_await client.read_all();
  }
  static std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  }

  asio::io_context context_{1};
  base::SystemClock clock_;
  async::Timers timers_{context_.get_executor(), clock_};
  telemetry::MetricRegistry registry_;
  telemetry::Health health_{clock_};
  std::ostringstream log_text_;
  telemetry::LogOutput log_output_{{}, clock_, log_text_};
  telemetry::Log log_{log_output_};
  std::unique_ptr<AdminServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(AdminHttp, ServesMetricsInPrometheusTextFormat) {
  registry_.counter({"x_total", "X."}).add(2);
  start();
  const std::string answer = ask(get("/metrics"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), answer.npos);
  EXPECT_NE(body_of(answer).find("x_total 2\n"), answer.npos);
}

TEST_F(AdminHttp, IsAliveEvenIfNotReady) {
  health_.add("postgres", telemetry::Importance::critical)
      .set(telemetry::HealthState::down, "refused \xff");
  start();
  EXPECT_EQ(Json::parse(body_of(ask(get("/healthz"))))["status"], "alive");
  const std::string answer = ask(get("/readyz"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  const Json json = Json::parse(body_of(answer));
  EXPECT_EQ(json["ready"], false);
  EXPECT_EQ(json["checks"][0]["name"], "postgres");
  EXPECT_EQ(json["checks"][0]["state"], "down");
  EXPECT_EQ(json["checks"][0]["critical"], true);
}

TEST_F(AdminHttp, IsReadyUntilItDrains) {
  health_.add("postgres", telemetry::Importance::critical).set(telemetry::HealthState::ok);
  start();
  EXPECT_TRUE(ask(get("/readyz?verbose")).starts_with("HTTP/1.1 200 "));
  health_.start_draining();
  EXPECT_TRUE(ask(get("/readyz")).starts_with("HTTP/1.1 503 "));
}

TEST_F(AdminHttp, TellsItsVersion) {
  start();
  const Json json = Json::parse(body_of(ask(get("/version"))));
  EXPECT_EQ(json["version"], this_build().version);
  EXPECT_EQ(json["revision"], this_build().revision);
  EXPECT_FALSE(json["compiler"].get<std::string>().empty());
}

TEST_F(AdminHttp, RefusesWhatItDoesNotKnow) {
  start();
  EXPECT_TRUE(ask(get("/")).starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Json::parse(body_of(ask(get("/../etc")))).contains("error"));
  const std::string posted =
      ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(posted.starts_with("HTTP/1.1 405 ")) << posted;
  EXPECT_NE(posted.find("Allow: GET, HEAD\r\n"), posted.npos);
  EXPECT_TRUE(
      ask("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask("nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
}

async::Task<void> expect_three_answers(asio::io_context& context, std::uint16_t port) {
  Client client(context, port);
  for (int i = 0; i < 2; ++i) {
    co_await client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE((co_await client.read_answer()).starts_with("HTTP/1.1 200 "));
  }
  co_await client.send("HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string header = co_await client.read_answer(true);
  EXPECT_EQ(header.find("Content-Length: 0\r\n"), header.npos) << header;
  EXPECT_EQ(co_await client.read_all(), "") << "HEAD has no body";
}

TEST_F(AdminHttp, KeepsTheConnectionAndAnswersHead) {
  start();
  fakes::run(context_, expect_three_answers(context_, port_));
}

TEST_F(AdminHttp, ClosesAConnectionThatSaysNothing) {
  start({.timeout = std::chrono::milliseconds(30)});
  EXPECT_EQ(ask("GET /healthz HT"), "");
}

async::Task<void> expect_the_third_is_closed(asio::io_context& context, std::uint16_t port) {
  Client first(context, port);
  Client second(context, port);
  Client third(context, port);
  EXPECT_EQ(co_await third.read_all(), "");
  co_await second.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE((co_await second.read_answer()).starts_with("HTTP/1.1 200 "));
}

TEST_F(AdminHttp, ClosesConnectionsOverTheLimitAtOnce) {
  start({.connections_max = 2});
  fakes::run(context_, expect_the_third_is_closed(context_, port_));
}

async::Task<void> expect_closed_by_stop(asio::io_context& context, std::uint16_t port,
                                        AdminServer& server) {
  Client client(context, port);
  co_await client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE((co_await client.read_answer()).starts_with("HTTP/1.1 200 "));
  co_await server.stop();
  EXPECT_EQ(co_await client.read_all(), "");
}

TEST_F(AdminHttp, StopEndsIdleConnectionsAtOnce) {
  start({.timeout = std::chrono::minutes(10)});
  fakes::run(context_, expect_closed_by_stop(context_, port_, *server_));
  server_.reset();
  EXPECT_EQ(log_text_.str(), "");
}

TEST_F(AdminHttp, APortInUseIsAnError) {
  start();
  AdminServer second(context_.get_executor(), timers_, {.port = port_},
                     AdminSources{registry_, health_}, log_);
  const auto port = second.start();
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, base::Errc::unavailable);
}

}  // namespace
}  // namespace notify::edges::http
