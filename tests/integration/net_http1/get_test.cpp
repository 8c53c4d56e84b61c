// One GET against a server that says what the test tells it to.

#include "net/http1/get.hpp"

#include <gtest/gtest.h>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "base/async/task_group.hpp"
#include "fakes/run.hpp"

namespace notify::http1 {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;

struct GetTest : testing::Test {
  asio::io_context context{1};
  base::SystemClock clock;
  async::Timers timers{context.get_executor(), clock};
  tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  async::TaskGroup group{context.get_executor(), {}};
  std::string request;  ///< what the server has read

  ~GetTest() override { fakes::run(context, group.stop()); }

  enum class Then { close, wait };
  static async::Task<void> serve(tcp::acceptor& acceptor, std::string answer, Then then,
                                 std::string& request, async::Timers& timers) {
    tcp::socket socket = co_await acceptor.async_accept(async::kUseAwaitable);
    std::array<char, 4096> bytes{};
    const std::size_t size =
        co_await socket.async_read_some(asio::buffer(bytes), async::kUseAwaitable);
    request.assign(bytes.data(), size);
    co_await asio::async_write(socket, asio::buffer(answer), async::kUseAwaitable);
    if (then == Then::wait) co_await timers.sleep_for(10s);
  }
  base::Expected<Response> get(std::string answer, Then then = Then::wait,
                               std::vector<Header> headers = {}) {
    group.spawn(serve(acceptor, std::move(answer), then, request, timers));
    auto url = parse_url("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) +
                         "/keys?x=1");
    GetLimits limits;
    limits.header_max_bytes = 1000;
    limits.body_max_bytes = 100;
    return fakes::run(context, http1::get(timers, url.value(), nullptr, limits, timers.after(300ms),
                                          std::move(headers)));
  }
};

TEST_F(GetTest, ReadsAnAnswerOfEveryForm) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const auto plain = get(ok + "Content-Length: 5\r\nCache-Control: max-age=60\r\n\r\nhello");
  ASSERT_TRUE(plain) << plain.error().detail;
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(plain->body, "hello");
  EXPECT_EQ(plain->header("cache-control"), "max-age=60");
  EXPECT_EQ(plain->header("etag"), "");
  EXPECT_TRUE(request.starts_with("GET /keys?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")) << request;
  EXPECT_EQ(get(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")->body,
            "hello");
  EXPECT_EQ(get("HTTP/1.0 200 OK\r\n\r\nhello", Then::close)->body, "hello");
  EXPECT_EQ(get(ok + "Content-Length: 0\r\n\r\n")->body, "");
}

TEST_F(GetTest, SendsTheHeadersThatItIsGiven) {
  ASSERT_TRUE(get("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Then::wait,
                  {{"metadata-flavor", "Google"}}));
  EXPECT_NE(request.find("\r\nmetadata-flavor: Google\r\n"), std::string::npos) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n")) << request;
}

TEST_F(GetTest, ARedirectIsAnAnswerLikeAnother) {
  const auto moved =
      get("HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(moved) << moved.error().detail;
  EXPECT_EQ(moved->status, 302);
}

TEST_F(GetTest, AnAnswerThatIsTooLongOrMalformedIsCorrupt) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const std::string& bad :
       {ok + "Content-Length: 101\r\n\r\n" + std::string(101, 'x'),
        ok + "Transfer-Encoding: chunked\r\n\r\nff\r\n" + std::string(255, 'x') + "\r\n0\r\n\r\n",
        ok + "X: " + std::string(20'000, 'x') + "\r\n\r\n", std::string("SSH-2.0-OpenSSH\r\n\r\n"),
        ok + "Content-Length: x\r\n\r\n"}) {
    const auto answer = get(bad);
    ASSERT_FALSE(answer) << bad.substr(0, 60);
    EXPECT_EQ(answer.error().code, Errc::corrupt) << bad.substr(0, 60);
  }
  const auto cut = get(ok + "Content-Length: 50\r\n\r\nhello", Then::close);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::corrupt);
}

TEST_F(GetTest, APeerThatHangsIsLeftAtTheDeadline) {
  const auto answer = get("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::timed_out);
}

TEST(ParseUrl, TakesApartWhatIsHttp) {
  const auto url = parse_url("https://id.example:8443/.well-known/jwks.json?v=1#x");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->endpoint.host, "id.example");
  EXPECT_EQ(url->endpoint.port, 8443);
  EXPECT_EQ(url->authority, "id.example:8443");
  EXPECT_EQ(url->target, "/.well-known/jwks.json?v=1");
  EXPECT_EQ(parse_url("http://[::1]")->target, "/");
  EXPECT_EQ(parse_url("http://a?b")->target, "/?b");
  EXPECT_EQ(parse_url("http://a")->endpoint.port, 80);
  for (const char* bad :
       {"", "a", "ftp://a/", "https://", "https:///x", "https://u:p@a/", "http://a:0/",
        "http://a/b c", "http://a/\r\nX: y", "http://a/\xc3\xa9"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace notify::http1
