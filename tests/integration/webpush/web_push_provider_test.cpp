// The provider against the simulator's push service, over real sockets in one process.

#include "providers/webpush/web_push_provider.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fakes/run.hpp"
#include "fakes/samples.hpp"
#include "push-simulator/certificates.hpp"
#include "push-simulator/provider_server.hpp"
#include "push-simulator/web_push_endpoint.hpp"
#include "unit/crypto/test_keys.hpp"

namespace notify::providers {
namespace {

using nlohmann::json;
using rules::Outcome;
using rules::OutcomeKind;

/// One push service on a port of its own.
struct PushServer {
  PushServer(async::Timers& timers, const base::Clock& clock, base::Rng& rng,
             const simulator::ServerIdentity& identity)
      : browsers(subscriptions, clock, rng),
        endpoint(rules, subscriptions, browsers, {faults, ledger, nullptr, clock}, rng),
        server(timers, endpoint, {{boost::asio::ip::make_address("127.0.0.1"), 0}, 1000, 1000}) {
    port = server.start(identity).value();
    subscriptions.set_origin("https://localhost:" + std::to_string(port));
  }

  rules::Device browser(const std::string& id, std::string vapid_key = "") {
    rules::Device device = fakes::sample_device();
    device.platform = rules::Platform::web;
    device.token = base::Secret(subscriptions.add(id, std::move(vapid_key)).value());
    return device;
  }

  void fault(const char* text) {
    ASSERT_TRUE(faults.add(simulator::parse_fault(json::parse(text)).value()));
  }

  simulator::FaultBook faults;
  simulator::Ledger ledger{simulator::Detail::full};
  simulator::Registry registry;
  simulator::Subscriptions subscriptions;
  simulator::Browsers browsers;
  simulator::WebPushRules rules{subscriptions, registry, 1};
  simulator::WebPushEndpoint endpoint;
  simulator::ProviderServer server;
  std::uint16_t port = 0;
};

struct WebPushProviderTest : testing::Test {
  WebPushProviderTest() {
    std::filesystem::create_directories(directory);
    identity = simulator::load_or_make_identity(directory, clock.now()).value();
    std::ofstream(directory / "key.pem")
        << crypto_test::to_pem(crypto_test::make_ec_key("P-256")).reveal();
    std::ofstream(directory / "ca.pem") << identity.ca_pem;
    first = std::make_unique<PushServer>(timers, clock, rng, identity);
    second = std::make_unique<PushServer>(timers, clock, rng, identity);
    config.key_file = directory / "key.pem";
    config.subject = "mailto:push@example.com";
    config.app_url = "https://app.example/";
    config.ca_file = directory / "ca.pem";
    config.allowed_hosts = {"localhost:" + std::to_string(first->port),
                            "localhost:" + std::to_string(second->port)};
    config.private_hosts = {"localhost"};
    config.request_timeout = std::chrono::seconds(5);
  }
  ~WebPushProviderTest() override {
    if (provider) fakes::run(context, provider->stop(timers.after(std::chrono::seconds(5))));
    fakes::run(context, first->server.stop());
    fakes::run(context, second->server.stop());
    std::filesystem::remove_all(directory);
  }

  static void escaped(std::string_view what) { ADD_FAILURE() << "escaped: " << what; }

  void open() { provider = WebPushProvider::create(config, {}, {timers, rng, escaped}).value(); }

  Outcome send(const rules::Device& device, const rules::Notification& notification) {
    if (!provider) open();
    return fakes::run(context, provider->send(notification, {.sound = "bell"}, device,
                                              timers.after(std::chrono::seconds(5))));
  }
  Outcome send(const rules::Device& device) {
    return send(device, fakes::sample_notification(clock.now()));
  }

  std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / ("web-push-test-" + std::to_string(::getpid()));
  boost::asio::io_context context{1};
  base::SystemClock clock;
  async::Timers timers{context.get_executor(), clock};
  base::SeededRng rng{7};
  simulator::ServerIdentity identity;
  std::unique_ptr<PushServer> first;
  std::unique_ptr<PushServer> second;
  config::WebPush config;
  std::unique_ptr<Provider> provider;
};

TEST_F(WebPushProviderTest, ABrowserDecryptsWhatIsSent) {
  const auto device = first->browser("b1");
  const auto n = fakes::sample_notification(clock.now());
  EXPECT_EQ(send(device, n).kind, OutcomeKind::accepted);
  const json payload = first->ledger.token_stats("b1").value()["last_payload"];
  EXPECT_EQ(payload["notification"]["title"], n.title);
  EXPECT_EQ(payload["notification"]["data"]["notification_id"], n.id.to_string());
  EXPECT_EQ(first->ledger.stats()["notifications_distinct"], 1);
}

TEST_F(WebPushProviderTest, ALongNotificationFitsByCuttingItsBody) {
  auto n = fakes::sample_notification(clock.now());
  n.body.assign(3'000, 'b');
  n.presentation.data["k"] = std::string(2'000, 'd');
  EXPECT_EQ(send(first->browser("b1"), n).kind, OutcomeKind::accepted);
}

TEST_F(WebPushProviderTest, EveryAnswerHasItsOutcome) {
  const auto device = first->browser("b1");
  const std::pair<const char*, OutcomeKind> all[] = {
      {R"({"target":"webpush","status":404})", OutcomeKind::token_gone},
      {R"({"target":"webpush","status":410})", OutcomeKind::token_gone},
      {R"({"target":"webpush","status":403,"reason":"VapidPkHashMismatch"})",
       OutcomeKind::token_gone},
      {R"({"target":"webpush","status":403})", OutcomeKind::bad_credentials},
      {R"({"target":"webpush","status":401})", OutcomeKind::bad_credentials},
      {R"({"target":"webpush","status":307})", OutcomeKind::rejected},
      {R"({"target":"webpush","status":400})", OutcomeKind::rejected},
      {R"({"target":"webpush","status":413})", OutcomeKind::rejected},
      {R"({"target":"webpush","status":429,"retry_after":7})", OutcomeKind::retry_later},
      {R"({"target":"webpush","status":503})", OutcomeKind::retry_later},
      {R"({"target":"webpush","cut":"before"})", OutcomeKind::unknown},
      {R"({"target":"webpush","refuse_stream":true})", OutcomeKind::accepted},
      {R"({"target":"webpush","goaway":true})", OutcomeKind::accepted}};
  for (const auto& [fault, kind] : all) {
    first->fault(fault);
    const Outcome outcome = send(device);
    EXPECT_EQ(outcome.kind, kind) << fault << ": " << outcome.code << ' ' << outcome.message;
    EXPECT_TRUE(outcome.was_asked);
  }
}

TEST_F(WebPushProviderTest, RetryAfterIsKept) {
  first->fault(R"({"target":"webpush","status":429,"retry_after":7})");
  EXPECT_EQ(send(first->browser("b1")).retry_after, std::chrono::seconds(7));
}

TEST_F(WebPushProviderTest, ASubscriptionOfAnotherKeyIsGivenUpOnThePushServicesWord) {
  EXPECT_EQ(send(first->browser("b1", "another")).kind, OutcomeKind::token_gone);
}

TEST_F(WebPushProviderTest, ASubscriptionThatNamesAnotherKeyIsNotSentTo) {
  auto device = first->browser("b1");
  json token = json::parse(device.token.reveal());
  token["vapid_key"] = "another";
  device.token = base::Secret(token.dump());
  const Outcome outcome = send(device);
  EXPECT_EQ(outcome.kind, OutcomeKind::rejected);
  EXPECT_FALSE(outcome.was_asked);
  EXPECT_EQ(provider->flaw_of(device)->why, rules::LeftOut::unusable_token);
}

TEST_F(WebPushProviderTest, AnAllowedHostWithAPrivateAddressIsNotConnectedTo) {
  config.private_hosts.clear();
  const auto device = first->browser("b1");
  const Outcome outcome = send(device);
  EXPECT_EQ(outcome.kind, OutcomeKind::rejected);
  EXPECT_FALSE(outcome.was_asked);
  EXPECT_EQ(outcome.message, "resolve: the host has no public address");
  EXPECT_FALSE(provider->flaw_of(device)) << "it is known only when the name is resolved";
  EXPECT_EQ(first->ledger.stats()["connections_opened"], 0);
}

TEST_F(WebPushProviderTest, AHostThatNoListNamesIsNotAsked) {
  config.allowed_hosts = {"*.push.apple.com"};
  const auto device = first->browser("b1");
  EXPECT_EQ(send(device).kind, OutcomeKind::rejected);
  const auto flaw = provider->flaw_of(device);
  ASSERT_TRUE(flaw);
  EXPECT_EQ(flaw->message, "the host or port of its endpoint is not in webpush.allowed_hosts");
}

TEST_F(WebPushProviderTest, KeysThatAreNoKeysAreRefusedAndNotGivenUp) {
  auto device = first->browser("b1");
  json token = json::parse(device.token.reveal());
  token["keys"]["p256dh"] = "AAAA";
  device.token = base::Secret(token.dump());
  const Outcome outcome = send(device);
  EXPECT_EQ(outcome.kind, OutcomeKind::rejected);
  EXPECT_EQ(outcome.message, "keys.p256dh is not 65 bytes long");
}

TEST_F(WebPushProviderTest, AnOriginGivesWayToAnotherWhenThereAreTooMany) {
  config.origins_max = 1;
  const auto here = first->browser("b1");
  const auto there = second->browser("b2");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(send(here).kind, OutcomeKind::accepted);
    EXPECT_EQ(send(there).kind, OutcomeKind::accepted);
  }
  EXPECT_EQ(first->ledger.stats()["connections_opened"], 3);
  EXPECT_EQ(provider->counters().connections_opened, 6u);
}

TEST_F(WebPushProviderTest, OneOriginIsReachedOverTheSameConnection) {
  const auto device = first->browser("b1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(send(device).kind, OutcomeKind::accepted);
  EXPECT_EQ(first->ledger.stats()["connections_opened"], 1);
}

}  // namespace
}  // namespace notify::providers
