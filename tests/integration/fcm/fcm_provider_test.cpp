// The provider against the simulator of Google's servers, over TLS on real sockets.

#include "providers/fcm/fcm_provider.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "fakes/run.hpp"
#include "fakes/samples.hpp"
#include "push-simulator/fcm_server.hpp"
#include "push-simulator/registry.hpp"

namespace notify::providers {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rules::Outcome;
using rules::OutcomeKind;

const std::string kToken = "c0000000000000000000aa:APA91b" + std::string(134, 'a');

struct FcmProviderTest : testing::Test {
  std::filesystem::path directory = std::filesystem::path(testing::TempDir()) /
                                    ("fcm-provider-test-" + std::to_string(::getpid()));
  boost::asio::io_context context{1};
  base::SystemClock clock;
  base::SeededRng rng{1};
  async::Timers timers{context.get_executor(), clock};
  simulator::Registry registry;
  simulator::FaultBook faults;
  std::unique_ptr<simulator::FcmServer> google;
  std::uint16_t port = 0;
  config::Fcm config;
  std::unique_ptr<Provider> provider;
  rules::Notification notification = fakes::sample_notification(clock.now());
  rules::Device device = fakes::sample_device();

  FcmProviderTest() {
    device.platform = rules::Platform::android;
    device.token = base::Secret(kToken);
    simulator::Device known;
    known.id = device.id;
    known.platform = simulator::Platform::android;
    known.token = kToken;
    registry.replace_user(fakes::sample_user(), {known});
    start_google();
    config.endpoint = config::Url("https://127.0.0.1:" + std::to_string(port));
    config.ca_file = directory / "ca.pem";
    config.credentials_file = directory / "fcm-service-account.json";
    config.request_timeout = 2s;
  }
  ~FcmProviderTest() override {
    if (provider) fakes::run(context, provider->stop(timers.after(1s)));
    fakes::run(context, google->stop());
    std::filesystem::remove_all(directory);
  }

  void start_google() {
    std::filesystem::create_directories(directory);
    const auto identity = simulator::load_or_make_identity(directory, clock.now());
    google = std::make_unique<simulator::FcmServer>(
        timers, registry, simulator::FcmServer::Parts{faults, nullptr, clock, rng},
        simulator::FcmServer::Options{.listen = {boost::asio::ip::make_address("127.0.0.1"), 0}},
        simulator::Detail::full);
    port = google->start(identity.value(), directory).value();
  }
  void fault(const char* text) {
    ASSERT_TRUE(faults.add(simulator::parse_fault(json::parse(text)).value()));
  }
  Outcome send() {
    if (!provider) {
      auto made = FcmProvider::create(config, 1, {}, {timers, rng, {}});
      EXPECT_TRUE(made) << made.error().detail;
      provider = std::move(*made);
    }
    return fakes::run(context, provider->send(notification, {.sound = "default"}, device,
                                              timers.after(config.request_timeout)));
  }
  json stats() { return google->ledger().stats(); }
};

TEST_F(FcmProviderTest, AMessageIsAcceptedAndArrivesAsItIs) {
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::accepted) << outcome.code << ' ' << outcome.message;
  const json seen = google->ledger().token_stats(kToken).value();
  EXPECT_EQ(seen["accepted"], 1);
  EXPECT_EQ(seen["last_payload"]["message"]["notification"]["title"], "Dora");
  EXPECT_EQ(stats()["notifications_distinct"], 1);
}

TEST_F(FcmProviderTest, EveryFormOfMessageIsWhatGooglesSchemaKnows) {
  notification.conversation =
      base::ConversationId(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
  notification.presentation.data = {{"ciphertext", std::string(2000, 'x')}};
  notification.presentation.badge = 3;
  notification.presentation.sound = "bell";
  notification.presentation.category = "MESSAGE";
  notification.presentation.collapse_id = "room-7";
  notification.body.assign(3000, 'b');
  int sent = 0;
  for (const auto platform :
       {rules::Platform::android, rules::Platform::ios, rules::Platform::web}) {
    device.platform = platform;
    for (const bool is_mutable : {false, true}) {
      for (const bool is_background : {false, true}) {
        for (const auto priority : rules::kPriorities) {
          notification.presentation.mutable_content = is_mutable;
          notification.presentation.background = is_background;
          notification.priority = priority;
          const Outcome outcome = send();
          EXPECT_EQ(outcome.kind, OutcomeKind::accepted) << outcome.code << outcome.message;
          ++sent;
        }
      }
    }
  }
  EXPECT_EQ(stats()["accepted"], sent);
}

TEST_F(FcmProviderTest, AnAppThatIsGoneIsToldWithTheTimeOfTheRequest) {
  ASSERT_TRUE(registry.change_token(kToken, {.dead_since = clock.now(), .is_active = {}}));
  const base::WallTime before = clock.now();
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::token_gone);
  EXPECT_EQ(outcome.code, "404 UNREGISTERED");
  ASSERT_TRUE(outcome.invalid_since);
  EXPECT_GE(*outcome.invalid_since, before);
}

TEST_F(FcmProviderTest, AMalformedTokenIsGoneToo) {
  device.token = base::Secret("no token");
  EXPECT_TRUE(send().kind == OutcomeKind::token_gone);
  EXPECT_TRUE(provider->flaw_of(device)) << "and is not even asked for";
  device.token = base::Secret(kToken);
  EXPECT_FALSE(provider->flaw_of(device));
}

TEST_F(FcmProviderTest, ARefusedAccessTokenIsRenewedOnceAndTheMessageSentAgain) {
  fault(R"({"target":"fcm","status":401,"reason":"UNAUTHENTICATED"})");
  EXPECT_EQ(send().kind, OutcomeKind::accepted);
  EXPECT_EQ(stats()["requests"], 2);
}

TEST_F(FcmProviderTest, ATokenThatIsRefusedAgainIsBadCredentials) {
  fault(R"({"target":"fcm","status":401,"reason":"UNAUTHENTICATED","count":-1})");
  EXPECT_EQ(send().kind, OutcomeKind::bad_credentials);
  EXPECT_EQ(stats()["requests"], 2);
}

TEST_F(FcmProviderTest, AThirdPartysCredentialsAreNotOurs) {
  fault(R"({"target":"fcm","status":401,"reason":"THIRD_PARTY_AUTH_ERROR"})");
  EXPECT_EQ(send().kind, OutcomeKind::bad_credentials);
  EXPECT_EQ(stats()["requests"], 1);
}

TEST_F(FcmProviderTest, AQuotaThatIsUsedUpIsWaitedFor) {
  fault(R"({"target":"fcm","status":429,"reason":"QUOTA_EXCEEDED","retry_after":7})");
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::retry_later);
  EXPECT_EQ(outcome.retry_after, 7s);
  EXPECT_EQ(outcome.code, "429 QUOTA_EXCEEDED");
}

TEST_F(FcmProviderTest, TheTokenServersWordIsTold) {
  fault(R"({"target":"oauth","status":400,"reason":"invalid_grant"})");
  const Outcome refused = send();
  EXPECT_EQ(refused.kind, OutcomeKind::bad_credentials);
  EXPECT_NE(refused.message.find("invalid_grant"), std::string::npos) << refused.message;
  EXPECT_EQ(stats()["requests"], 0);
}

TEST_F(FcmProviderTest, ATokenServerThatIsDownIsATroubleOfTheMoment) {
  fault(R"({"target":"oauth","status":503,"reason":"busy"})");
  EXPECT_EQ(send().kind, OutcomeKind::not_processed);
}

TEST_F(FcmProviderTest, TransportTroubleIsToldApartByWhetherItMayHaveArrived) {
  (void)send();
  fault(R"({"target":"fcm","refuse_stream":true})");
  EXPECT_EQ(send().kind, OutcomeKind::accepted) << "the pool sends it again";
  fault(R"({"target":"fcm","goaway":true})");
  EXPECT_EQ(send().kind, OutcomeKind::accepted) << "and again elsewhere";
  fault(R"({"target":"fcm","cut":"after"})");
  EXPECT_EQ(send().kind, OutcomeKind::unknown);
  config.request_timeout = 200ms;
  fault(R"({"target":"fcm","hang":true})");
  EXPECT_EQ(send().kind, OutcomeKind::unknown);
}

TEST_F(FcmProviderTest, AnotherProjectIsOurMistake) {
  config.project_id = "another";
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::bad_credentials);
  EXPECT_EQ(outcome.code, "403 PERMISSION_DENIED");
}

TEST_F(FcmProviderTest, OverTheQuotaNothingIsSent) {
  config.messages_per_minute = 6;  // one in ten seconds
  EXPECT_EQ(send().kind, OutcomeKind::accepted);
  const Outcome outcome = send();
  EXPECT_EQ(outcome.kind, OutcomeKind::not_processed);
  EXPECT_FALSE(outcome.was_asked);
  ASSERT_TRUE(outcome.retry_after);
  EXPECT_GE(*outcome.retry_after, 8s);
  EXPECT_EQ(stats()["requests"], 1);
}

TEST_F(FcmProviderTest, CredentialsThatCannotBeUsedAreNamed) {
  config.credentials_file = directory / "ca.pem";
  const auto made = FcmProvider::create(config, 1, {}, {timers, rng, {}});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().detail.find("fcm.credentials_file"), std::string::npos);
}

}  // namespace
}  // namespace notify::providers
