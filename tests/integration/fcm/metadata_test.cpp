// The metadata server of Google Cloud's machines, played by a socket that says one answer.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "base/async/task_group.hpp"
#include "fakes/run.hpp"
#include "providers/fcm/access_grants.hpp"

namespace notify::providers {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;

struct MetadataTest : testing::Test {
  asio::io_context context{1};
  base::SystemClock clock;
  async::Timers timers{context.get_executor(), clock};
  tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  async::TaskGroup group{context.get_executor(), {}};
  std::string request;

  ~MetadataTest() override { fakes::run(context, group.stop()); }

  static async::Task<void> serve(tcp::acceptor& acceptor, std::string answer,
                                 std::string& request) {
    tcp::socket socket = co_await acceptor.async_accept(async::kUseAwaitable);
    std::array<char, 4096> bytes{};
    const std::size_t size =
        co_await socket.async_read_some(asio::buffer(bytes), async::kUseAwaitable);
    request.assign(bytes.data(), size);
    co_await asio::async_write(socket, asio::buffer(answer), async::kUseAwaitable);
  }
  base::Expected<AccessGrant> fetch(const std::string& header, const std::string& body) {
    group.spawn(serve(
        acceptor,
        "HTTP/1.1 " + header + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
        request));
    const auto grants = MetadataGrants::create(
        "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()), timers);
    return fakes::run(context, grants.value()->fetch(timers.after(1s)));
  }
};

TEST_F(MetadataTest, ATokenIsAskedForWithTheHeaderThatGoogleDemands) {
  const auto grant = fetch("200 OK\r\nMetadata-Flavor: Google\r\n",
                           R"({"access_token":"ya29.m","expires_in":3000,"token_type":"Bearer"})");
  ASSERT_TRUE(grant) << grant.error().detail;
  EXPECT_EQ(grant->token.reveal(), "ya29.m");
  EXPECT_EQ(grant->expires_in, 3000s);
  EXPECT_TRUE(
      request.starts_with("GET /computeMetadata/v1/instance/service-accounts/default/token?"
                          "scopes=https://www.googleapis.com/auth/firebase.messaging HTTP/1.1\r\n"))
      << request;
  EXPECT_NE(request.find("\r\nmetadata-flavor: Google\r\n"), std::string::npos) << request;
}

TEST_F(MetadataTest, SomebodyElsesAnswerIsNotTaken) {
  const auto grant = fetch("200 OK\r\n", R"({"access_token":"x","expires_in":3000})");
  ASSERT_FALSE(grant);
  EXPECT_EQ(grant.error().code, Errc::unavailable);
}

TEST_F(MetadataTest, AServerThatIsNotReadyIsUnavailable) {
  const auto grant = fetch("503 Busy\r\nMetadata-Flavor: Google\r\n", "");
  ASSERT_FALSE(grant);
  EXPECT_EQ(grant.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace notify::providers
