// Against nghttpd, an HTTP/2 server that others wrote.

#include "integration/net_http2/pool_fixture.hpp"
#include "integration/net_http2/process.hpp"

namespace notify::http2 {
namespace {

using base::Errc;

struct NghttpdTest : PoolFixture {
  std::uint16_t port = free_port();
  std::unique_ptr<Process> nghttpd;

  void start_nghttpd(bool tls) {
    std::vector<std::string> arguments{"nghttpd", "--echo-upload", "-a", "127.0.0.1"};
    if (!tls) arguments.emplace_back("--no-tls");
    arguments.push_back(std::to_string(port));
    if (tls) {
      arguments.push_back(PrivateCa::instance().key);
      arguments.push_back(PrivateCa::instance().certificate);
    }
    nghttpd = std::make_unique<Process>(arguments);
  }

  /// The pool's own retries wait for the server to come up.
  [[nodiscard]] PoolOptions patient(const std::string& origin) const {
    PoolOptions with = options();
    with.origin = origin;
    with.backoff_max = std::chrono::milliseconds(40);
    with.failures_to_fail_fast = 1000;
    return with;
  }

  [[nodiscard]] std::string https(const std::string& host = "localhost") const {
    return "https://" + host + ":" + std::to_string(port);
  }
};

TEST_F(NghttpdTest, EchoesABodyOverTls) {
  start_nghttpd(true);
  open_pool(patient(https()));
  send_all(1, std::chrono::seconds(30), R"({"aps":{"alert":"hello"}})");
  expect_all(200);
  EXPECT_EQ((*results[0])->body, R"({"aps":{"alert":"hello"}})");
}

TEST_F(NghttpdTest, AnswersWithoutTls) {
  start_nghttpd(false);
  open_pool(patient("http://localhost:" + std::to_string(port)));
  send_all(300);
  expect_all(200);
}

TEST_F(NghttpdTest, TenThousandRequestsOverTwoConnectionsAreAllAnswered) {
  start_nghttpd(true);
  open_pool(patient(https()));
  send_all(10'000, std::chrono::seconds(90), std::string(200, 'x'));
  expect_all(200);
  for (const auto& result : results) ASSERT_EQ((*result)->body.size(), 200u);
  const PoolCounters counters = pool->counters();
  EXPECT_EQ(counters.connections_opened, 2u);
  EXPECT_EQ(counters.refused, 0u);
  EXPECT_EQ(counters.streams_open, 0u);
  EXPECT_GT(counters.traffic.bytes_out, 10'000u * 200u);
  EXPECT_LT(counters.traffic.write_calls, 10'000u / 4) << "frames must share writes";
}

TEST_F(NghttpdTest, RefusesACertificateOfAnotherAuthority) {
  start_nghttpd(true);
  PoolOptions with = patient(https());
  open_pool(with);
  send_all(1);
  expect_all(200);  // it is up, and a client that trusts its authority gets through
  fakes::run(context, pool->stop(timers.after(std::chrono::seconds(2))));

  with.tls.ca_file = PrivateCa::instance().other_ca;
  with.failures_to_fail_fast = 1;
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::unauthenticated, Processed::no);
}

TEST_F(NghttpdTest, RefusesACertificateForAnotherHost) {
  start_nghttpd(true);
  PoolOptions with = patient(https());
  open_pool(with);
  send_all(1);
  expect_all(200);
  fakes::run(context, pool->stop(timers.after(std::chrono::seconds(2))));

  with.origin = https("127.0.0.1");
  with.failures_to_fail_fast = 1;
  open_pool(with);
  send_all(1);
  expect_failure(0, Errc::unauthenticated, Processed::no);
}

TEST_F(NghttpdTest, AServerThatDiesFailsItsStreamsAndComesBack) {
  start_nghttpd(true);
  open_pool(patient(https()));
  send_all(50);
  expect_all(200);
  nghttpd.reset();
  start_nghttpd(true);
  send_all(50);
  for (std::size_t i = 0; i < results.size(); ++i) {
    // Written before the end of the connection was read: nobody can know. Else it was resent.
    if (!*results[i]) expect_failure(i, Errc::unavailable, Processed::unknown);
  }
  send_all(50);
  expect_all(200);
}

}  // namespace
}  // namespace notify::http2
