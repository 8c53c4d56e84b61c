// The Web Push service in front of a real browser's channel: it judges, and passes on unread.

#include "push-simulator/web_push_endpoint.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/text.hpp"
#include "fakes/manual_clock.hpp"
#include "integration/simulator/signing.hpp"

namespace notify::simulator {
namespace {

using nlohmann::json;

class KeptLink final : public BrowserLink {
 public:
  void send(std::string text) override { sent.push_back(json::parse(text)); }
  void close(std::string_view) override {}
  void cut() override {}

  std::vector<json> sent;
};

class RelayingEndpoint : public ::testing::Test {
 protected:
  RelayingEndpoint()
      : sender_(std::move(make_browser_keys()).value()),
        other_(std::move(make_browser_keys()).value()),
        browsers_(subscriptions_, clock_, rng_),
        rules_(subscriptions_, registry_, 1),
        endpoint_(rules_, subscriptions_, browsers_, {faults_, ledger_, nullptr, clock_}, rng_) {
    subscriptions_.set_origin("https://localhost:9");
    say({{"messageType", "hello"}, {"use_webpush", true}});
    say({{"messageType", "register"},
         {"channelID", kChannel},
         {"key", base::base64url_encode(sender_.point)}});
    id_ = link_.sent.back().value("pushEndpoint", "").substr(origin_size_);
    link_.sent.clear();
  }

  void say(const json& message) { browsers_.receive(link_, message.dump()); }

  /// A request as the service makes it, with a body that only looks encrypted.
  HttpRequest request(const BrowserKeys& sender) {
    HttpRequest request;
    request.method = "POST";
    request.path = "/wp/" + id_;
    testing::TokenParts token;
    token.header = R"({"typ":"JWT","alg":"ES256"})";
    token.claims = fmt::format(
        R"({{"aud":"https://localhost:9","exp":{},"sub":"mailto:a@b.example"}})",
        std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count() +
            60);
    request.headers.add("authorization",
                        fmt::format("vapid t={}, k={}", testing::sign(*sender.key, token),
                                    base::base64url_encode(sender.point)));
    request.headers.add("ttl", "99999999999");
    request.headers.add("topic", "chat");
    request.headers.add("content-encoding", "aes128gcm");
    body_ = std::string(16, 's') + std::string("\0\0\x10\0\x41", 5) + other_.point + "ciphertext";
    request.add_body(body_);
    return request;
  }
  int push() { return push(request(sender_)); }
  int push(const HttpRequest& request) { return endpoint_.handle(request, 1).response.status; }

  static constexpr const char* kChannel = "0ef2ad4a-6c49-41ad-af6e-95d2425276bf";
  static constexpr std::size_t origin_size_ = std::string_view("https://localhost:9/wp/").size();

  fakes::ManualClock clock_;
  base::SeededRng rng_{7};
  BrowserKeys sender_;
  BrowserKeys other_;
  Registry registry_;
  FaultBook faults_;
  Ledger ledger_{Detail::full};
  Subscriptions subscriptions_;
  Browsers browsers_;
  WebPushRules rules_;
  WebPushEndpoint endpoint_;
  KeptLink link_;
  std::string id_;
  std::string body_;
};

TEST_F(RelayingEndpoint, PassesOnWhatItCannotRead) {
  EXPECT_EQ(push(), 201);
  ASSERT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.sent[0]["data"], base::base64url_encode(body_));
  EXPECT_EQ(link_.sent[0]["channelID"], kChannel);
  EXPECT_EQ(link_.sent[0]["ttl"], Browsers::kMaxTtl.count());
  const auto stats = ledger_.token_stats(id_);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->at("ids"), json::array({link_.sent[0]["version"]}));
}

TEST_F(RelayingEndpoint, PassesOnNothingThatItRefuses) {
  EXPECT_EQ(push(request(other_)), 403);
  HttpRequest without_encoding = request(sender_);
  without_encoding.headers.clear();
  EXPECT_EQ(push(without_encoding), 400);
  ASSERT_TRUE(faults_.add(*parse_fault({{"target", "webpush"}, {"status", 503}})));
  EXPECT_EQ(push(), 503);
  ASSERT_TRUE(faults_.add(*parse_fault({{"target", "webpush"}, {"status", 201}})));
  EXPECT_EQ(push(request(other_)), 201);
  EXPECT_EQ(link_.sent.size(), 0u);
}

TEST_F(RelayingEndpoint, IsGoneWhenTheBrowserUnregisters) {
  say({{"messageType", "unregister"}, {"channelID", kChannel}});
  link_.sent.clear();
  EXPECT_EQ(push(), 410);
  EXPECT_EQ(link_.sent.size(), 0u);
}

TEST_F(RelayingEndpoint, IsGoneWhenItsDeviceIsDead) {
  Device device;
  device.platform = Platform::web;
  device.token = json{{"endpoint", "https://localhost:9/wp/" + id_}, {"keys", "its own"}}.dump();
  device.dead_since = clock_.now();
  registry_.replace_user(*base::UserId::parse("00000000-0000-4000-8000-00000000000a"), {device});
  EXPECT_EQ(push(), 201);
  subscriptions_.learn_token(device.token);
  EXPECT_EQ(push(), 410);
}

TEST_F(RelayingEndpoint, LearnsNoTokenOfAnotherPushService) {
  for (const char* token :
       {"", "[]", "{}", R"({"endpoint":7})", R"({"endpoint":"https://elsewhere.example/wp/x"})",
        R"({"endpoint":"https://localhost:9/wp/unknown"})"}) {
    subscriptions_.learn_token(token);
    EXPECT_EQ(subscriptions_.find(id_)->token, "") << token;
  }
  const std::string own = subscriptions_.add("own", "").value();
  subscriptions_.learn_token(R"({"endpoint":"https://localhost:9/wp/own"})");
  EXPECT_EQ(subscriptions_.find("own")->token, own);
}

}  // namespace
}  // namespace notify::simulator
