// Every row of every outcome table, and every fault of the transport, over real sockets: the cases
// of `notification-service conformance` against the simulator, in one process.

#include "app/conformance.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "push-simulator/files.hpp"
#include "push-simulator/simulator.hpp"

namespace notify::app {
namespace {

std::string local(std::uint16_t port) { return "https://localhost:" + std::to_string(port); }

/// A simulator on a thread of its own.
class SimulatorThread {
 public:
  explicit SimulatorThread(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    const boost::asio::ip::tcp::endpoint any(boost::asio::ip::address_v4::loopback(), 0);
    simulator::Options options;
    options.apns_listen = options.fcm.listen = options.webpush_listen = any;
    options.expired_listen = options.auth_listen = options.control_listen = any;
    options.state_dir = directory;
    options.apns_key_id = "ABC123DEFG";
    options.apns_team_id = "DEF123GHIJ";
    options.apns.topics = {"com.whispr.app"};
    simulator_.emplace(context_, options,
                       simulator::load_or_make_key(directory / "apns-key.p8").value(),
                       std::nullopt);
    const auto now = base::SystemClock().now();
    ports = simulator_->start(simulator::load_or_make_identity(directory, now).value()).value();
    thread_ = std::thread([this] { context_.run(); });
  }
  SimulatorThread(const SimulatorThread&) = delete;
  SimulatorThread& operator=(const SimulatorThread&) = delete;
  ~SimulatorThread() {
    async::TaskGroup life(context_.get_executor(), {});
    boost::asio::post(context_, [&] { life.spawn(simulator_->stop()); });
    thread_.join();
  }

  simulator::Ports ports;

 private:
  boost::asio::io_context context_{1};
  std::optional<simulator::Simulator> simulator_;
  std::thread thread_;
};

struct ConformanceTest : testing::Test {
  std::filesystem::path directory = std::filesystem::path(testing::TempDir()) /
                                    ("conformance-test-" + std::to_string(::getpid()));
  SimulatorThread simulator{directory};
  config::Config config;
  ConformanceTargets targets;
  std::vector<ConformanceResult> results;

  ConformanceTest() {
    config.apns.key_file = directory / "apns-key.p8";
    config.apns.key_id = "ABC123DEFG";
    config.apns.team_id = "DEF123GHIJ";
    config.apns.topic = "com.whispr.app";
    config.fcm.credentials_file = directory / "fcm-service-account.json";
    config.webpush.key_file = directory / "apns-key.p8";
    config.webpush.subject = "mailto:push@example.com";
    config.webpush.app_url = "https://app.example/";
    config.apns.ca_file = config.fcm.ca_file = config.webpush.ca_file = directory / "ca.pem";
    targets.by_service = {{"apns", local(simulator.ports.apns)},
                          {"fcm", local(simulator.ports.fcm)},
                          {"webpush", local(simulator.ports.webpush)}};
    targets.expired = local(simulator.ports.expired);
  }
  ~ConformanceTest() override { std::filesystem::remove_all(directory); }

  base::Expected<void> play() {
    return play_conformance(config, targets,
                            [&](const ConformanceResult& result) { results.push_back(result); });
  }
};

TEST_F(ConformanceTest, EveryAnswerAndEveryFaultLeadsToWhatItsTableSays) {
  const auto done = play();
  ASSERT_TRUE(done) << done.error().detail;
  std::set<const rules::Meaning*> played;
  std::size_t faults = 0;
  for (const ConformanceResult& result : results) {
    EXPECT_EQ(result.mismatch, "") << line_of(result);
    EXPECT_FALSE(result.was_skipped) << line_of(result);
    if (result.played.row != nullptr) played.insert(result.played.row);
    faults += result.played.row == nullptr ? 1 : 0;
  }
  std::size_t rows = 0;
  std::size_t known_faults = 0;
  for (const rules::PushService& service : rules::push_services()) {
    rows += service.answers.size();
    known_faults += rules::transport_cases(service).size();
    for (const rules::Meaning& row : service.answers) {
      EXPECT_TRUE(played.contains(&row)) << service.name << ' ' << row.status << ' ' << row.reason;
    }
  }
  EXPECT_EQ(played.size(), rows);
  EXPECT_EQ(faults, known_faults);
}

TEST_F(ConformanceTest, ACaseThatNoServerIsForIsSkipped) {
  targets.by_service.erase("fcm");
  targets.by_service.erase("webpush");
  targets.expired.clear();
  ASSERT_TRUE(play());
  std::size_t skipped = 0;
  for (const ConformanceResult& result : results) {
    if (!result.was_skipped) continue;
    ++skipped;
    EXPECT_EQ(result.played.event, "a certificate that has expired");
    EXPECT_TRUE(line_of(result).starts_with("skipped  apns")) << line_of(result);
  }
  EXPECT_EQ(skipped, 1u);
}

/// A real service knows no such token: it hears of one push and no more.
TEST_F(ConformanceTest, AServerThatDoesNotPlayIsLeftAlone) {
  targets.by_service = {{"apns", targets.expired}};
  const auto done = play();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::Errc::unavailable);
  EXPECT_TRUE(results.empty());
}

TEST_F(ConformanceTest, AServiceWithoutCredentialsCannotBePlayed) {
  config.apns.key_file.clear();
  targets.by_service = {{"apns", targets.expired}};
  EXPECT_EQ(play().error().code, base::Errc::invalid);
}

TEST(ConformanceTargets, AreAServiceAndItsServer) {
  EXPECT_EQ(parse_targets({"apns=https://localhost:1", "fcm=https://localhost:2"})
                .value()
                .by_service.at("fcm"),
            "https://localhost:2");
  for (const char* wrong : {"apns", "adm=https://localhost:1", "=https://localhost:1"}) {
    EXPECT_EQ(parse_targets({wrong}).error().code, base::Errc::invalid) << wrong;
  }
  EXPECT_FALSE(parse_targets({"apns=https://localhost:1", "apns=https://localhost:2"}));
}

}  // namespace
}  // namespace notify::app
