// The program itself, with curl in the place of the notification service.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "integration/simulator/process.hpp"
#include "integration/simulator/signing.hpp"
#include "push-simulator/files.hpp"
#include "push-simulator/provider_token.hpp"

namespace notify::simulator {
namespace {

namespace websocket = boost::beast::websocket;
using nlohmann::json;
using testing::Process;

constexpr const char* kDeviceToken =
    "0000000900000000000000000000000ca5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5";

constexpr const char* kBrowserChannel = "0ef2ad4a-6c49-41ad-af6e-95d2425276bf";

class Program : public ::testing::Test {
 protected:
  Program()
      : directory_(std::filesystem::path(::testing::TempDir()) /
                   fmt::format("push-simulator-test-{}", ::getpid())),
        program_({PUSH_SIMULATOR, "--state-dir", directory_ / "state", "--apns-key-file",
                  directory_ / "key.p8", "--apns-key-id", testing::kKeyId, "--apns-team-id",
                  testing::kTeamId, "--apns-topic", "com.example.app"}) {
    ready_ = program_.read_line();
    const auto ports = read_file(directory_ / "state" / "ports.json");
    if (ports) ports_ = json::parse(*ports);
    const KeyHandle key = std::move(load_or_make_key(directory_ / "key.p8")).value();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    provider_token_ = testing::sign(
        *key,
        testing::parts_issued_at(std::chrono::duration_cast<std::chrono::seconds>(now).count()));
    control({"-X", "POST", "-d", R"({"users":20,"seed":9})"}, "/devices/generate");
  }
  ~Program() override {
    program_.stop();
    std::filesystem::remove_all(directory_);
  }

  std::string control(std::vector<std::string> arguments, const std::string& path) {
    arguments.insert(arguments.begin(), {"curl", "-s"});
    arguments.push_back(
        fmt::format("http://127.0.0.1:{}{}", ports_.at("control").get<int>(), path));
    Process curl(std::move(arguments));
    return curl.read_all();
  }
  json stats() { return json::parse(control({}, "/stats")); }
  void add_fault(const char* fault) { control({"-X", "POST", "-d", fault}, "/faults"); }

  /// Body, then the status in a line of its own; status 000 if there was no answer.
  std::string push() {
    Process curl({"curl",
                  "-s",
                  "--http2",
                  "--max-time",
                  "10",
                  "--cacert",
                  directory_ / "state" / "ca.pem",
                  "-w",
                  "|%{http_code} %{http_version}",
                  "-H",
                  "authorization: bearer " + provider_token_,
                  "-H",
                  "apns-topic: com.example.app",
                  "-H",
                  "apns-push-type: alert",
                  "-H",
                  "apns-id: 0190a5b2-0000-7000-8000-000000000001",
                  "-d",
                  R"({"aps":{"alert":"hi"}})",
                  fmt::format("https://localhost:{}/3/device/{}", ports_.at("apns").get<int>(),
                              kDeviceToken)});
    return curl.read_all();
  }

  std::filesystem::path directory_;
  Process program_;
  std::string ready_;
  json ports_ = json::object();
  std::string provider_token_;
};

/// A browser as the push server sees it: texts over a WebSocket.
class BrowserClient {
 public:
  explicit BrowserClient(int port) : stream_(context_) {
    stream_.next_layer().connect(
        {boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
    stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(boost::beast::http::field::sec_websocket_protocol, "push-notification");
    }));
    stream_.handshake(answer_, "localhost", "/");
  }

  void say(const json& message) { stream_.write(boost::asio::buffer(message.dump())); }
  /// The next message; null once the server has closed the connection.
  json hear() {
    boost::beast::flat_buffer buffer;
    boost::system::error_code error;
    stream_.read(buffer, error);
    if (error) return nullptr;
    const auto bytes = buffer.cdata();
    return json::parse(std::string(static_cast<const char*>(bytes.data()), bytes.size()));
  }
  std::string subprotocol() const {
    return std::string(answer_[boost::beast::http::field::sec_websocket_protocol]);
  }
  std::string reason() const {
    return {stream_.reason().reason.data(), stream_.reason().reason.size()};
  }

 private:
  boost::asio::io_context context_;
  websocket::stream<boost::asio::ip::tcp::socket> stream_;
  websocket::response_type answer_;
};

TEST_F(Program, SaysWhereItListens) {
  EXPECT_TRUE(ready_.starts_with("push-simulator ready: ")) << ready_;
  EXPECT_GT(ports_["apns"], 0);
  EXPECT_GT(ports_["auth"], 0);
  EXPECT_GT(ports_["control"], 0);
}

TEST_F(Program, AcceptsASignedPushOverHttp2) {
  EXPECT_EQ(push(), "|200 2");
  const json received = json::parse(control({}, "/received"));
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0]["token"], kDeviceToken);
  EXPECT_EQ(received[0]["payload"]["aps"]["alert"], "hi");
}

TEST_F(Program, RefusesAForgedToken) {
  provider_token_.back() = provider_token_.back() == 'A' ? 'Q' : 'A';
  provider_token_[provider_token_.size() - 10] ^= 1;
  EXPECT_EQ(push(), R"({"reason":"InvalidProviderToken"}|403 2)");
}

TEST_F(Program, AppliesFaults) {
  add_fault(R"([{"status":503,"reason":"ServiceUnavailable"},{"delay_ms":20}])");
  EXPECT_EQ(push(), R"({"reason":"ServiceUnavailable"}|503 2)");
  EXPECT_EQ(push(), "|200 2");
  add_fault(R"({"cut":"before"})");
  EXPECT_EQ(push(), "|000 0");
  EXPECT_EQ(stats()["accepted"], 1);
  add_fault(R"({"cut":"after"})");
  EXPECT_EQ(push(), "|000 0");
  add_fault(R"({"goaway":true,"reason":"Shutdown"})");
  EXPECT_EQ(push(), "|000 0");
  const json counted = stats();
  EXPECT_EQ(counted["accepted"], 2);
  EXPECT_EQ(counted["duplicates"], 1);
  EXPECT_EQ(counted["goaways_sent"], 1);
}

TEST_F(Program, ABrowserIsConnectedAndRegisters) {
  BrowserClient browser(ports_.at("browser"));
  EXPECT_EQ(browser.subprotocol(), "push-notification");
  browser.say({{"messageType", "hello"}, {"use_webpush", true}});
  EXPECT_EQ(browser.hear()["status"], 200);
  browser.say({{"messageType", "register"}, {"channelID", kBrowserChannel}});
  const std::string endpoint = browser.hear()["pushEndpoint"];
  EXPECT_TRUE(endpoint.starts_with(
      fmt::format("https://localhost:{}/wp/", ports_.at("webpush").get<int>())))
      << endpoint;
  const std::string id = endpoint.substr(endpoint.rfind('/') + 1);
  const json device{
      {"id", kBrowserChannel}, {"platform", "web"}, {"token", json{{"endpoint", endpoint}}.dump()}};
  const json user{{"user_id", kBrowserChannel}, {"devices", json::array({device})}};
  control({"-X", "PUT", "-d", user.dump()}, "/devices");
  const json known = json::parse(control({}, "/devices/" + id));
  EXPECT_EQ(known["device"]["id"], kBrowserChannel);
  EXPECT_EQ(known["browser"]["connected"], true);
  EXPECT_EQ(stats()["browsers"]["channels"], 1);
  control({"-X", "POST"}, "/browsers/disconnect");
  EXPECT_EQ(browser.hear(), nullptr);
  EXPECT_EQ(stats()["browsers"]["connected"], 0);
  control({"-X", "POST"}, "/reset");
  EXPECT_EQ(stats()["browsers"]["known"], 0);
}

TEST_F(Program, TellsABrowserWhyItIsDisconnected) {
  BrowserClient browser(ports_.at("browser"));
  browser.say({{"messageType", "ack"}});
  EXPECT_EQ(browser.hear(), nullptr);
  EXPECT_EQ(browser.reason(), "the first message is a hello");
}

TEST_F(Program, TellsOthersThatBrowsersConnectHere) {
  Process curl({"curl", "-s", "-w", "|%{http_code}",
                fmt::format("http://127.0.0.1:{}/", ports_.at("browser").get<int>())});
  EXPECT_EQ(curl.read_all(), "this port speaks WebSocket only\n|426");
}

TEST_F(Program, StopsWhileABrowserIsConnected) {
  BrowserClient browser(ports_.at("browser"));
  browser.say({{"messageType", "hello"}, {"use_webpush", true}});
  EXPECT_EQ(browser.hear()["status"], 200);
  EXPECT_EQ(program_.stop(), 0);
  EXPECT_EQ(browser.hear(), nullptr);
}

TEST_F(Program, StopsCleanlyAlsoWithCallsThatHang) {
  add_fault(R"({"hang":true})");
  Process hanging({"curl", "-s", "--http2", "--insecure", "--max-time", "60",
                   fmt::format("https://localhost:{}/3/device/{}", ports_.at("apns").get<int>(),
                               kDeviceToken)});
  while (stats()["requests"] == 0) {
  }
  EXPECT_EQ(program_.stop(), 0);
  EXPECT_NE(hanging.wait(), 0);
}

TEST(Arguments, WrongOnesEndWithTwo) {
  Process missing({PUSH_SIMULATOR, "--state-dir", "x"});
  EXPECT_EQ(missing.wait(), 2);
  Process unknown({PUSH_SIMULATOR, "--no-such-flag"});
  EXPECT_EQ(unknown.wait(), 2);
  Process help({PUSH_SIMULATOR, "--help"});
  EXPECT_NE(help.read_all().find("--apns-max-streams"), std::string::npos);
  EXPECT_EQ(help.wait(), 0);
}

}  // namespace
}  // namespace notify::simulator
