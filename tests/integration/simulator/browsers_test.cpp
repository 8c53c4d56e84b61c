// The push server of real browsers, with a list in the place of each connection.

#include "push-simulator/browsers.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/text.hpp"
#include "fakes/manual_clock.hpp"

namespace notify::simulator {
namespace {

using nlohmann::json;

constexpr const char* kChannel = "0ef2ad4a-6c49-41ad-af6e-95d2425276bf";
constexpr const char* kOtherChannel = "1ef2ad4a-6c49-41ad-af6e-95d2425276bf";
// RFC 8292 §2.4, as Firefox writes it: with padding.
constexpr const char* kSenderKey =
    "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs=";

class ListedLink final : public BrowserLink {
 public:
  void send(std::string text) override { sent.push_back(json::parse(text)); }
  void close(std::string_view why) override { closed = why; }
  void cut() override { closed = "cut"; }

  std::vector<json> sent;
  std::string closed;
};

class RealBrowser : public ::testing::Test {
 protected:
  RealBrowser() : browsers_(subscriptions_, clock_, rng_) {
    subscriptions_.set_origin("https://localhost:9");
  }

  void say(ListedLink& link, const json& message) { browsers_.receive(link, message.dump()); }
  /// Sends a hello and returns the uaid.
  std::string greet(ListedLink& link, const std::string& uaid = {}) {
    json hello{{"messageType", "hello"}, {"use_webpush", true}, {"broadcasts", json::object()}};
    if (!uaid.empty()) hello["uaid"] = uaid;
    const std::size_t before = link.sent.size();
    say(link, hello);
    return link.sent.size() > before ? link.sent[before].value("uaid", "") : "";
  }
  /// Registers a channel and returns the answer.
  json enroll(ListedLink& link, const char* channel = kChannel, const char* key = kSenderKey) {
    say(link, {{"messageType", "register"}, {"channelID", channel}, {"key", key}});
    return link.sent.back();
  }
  /// The id of the subscription in an answer to a register.
  static std::string subscription_of(const json& answer) {
    const std::string endpoint = answer.value("pushEndpoint", "/");
    return endpoint.substr(endpoint.rfind('/') + 1);
  }
  void acknowledge(ListedLink& link, const json& notification, int code = 100) {
    say(link, {{"messageType", "ack"},
               {"updates", json::array({{{"channelID", notification.at("channelID")},
                                         {"version", notification.at("version")},
                                         {"code", code}}})}});
  }
  void deliver(const std::string& subscription, const char* id, const char* topic = "",
               std::chrono::seconds ttl = std::chrono::minutes(1)) {
    browsers_.deliver(subscription, {id, "encrypted", topic, ttl});
  }
  /// The versions of the notifications that were sent over a connection.
  static std::vector<std::string> versions(const ListedLink& link) {
    std::vector<std::string> all;
    for (const json& message : link.sent) {
      if (message.value("messageType", "") == "notification") all.push_back(message["version"]);
    }
    return all;
  }
  using Versions = std::vector<std::string>;

  fakes::ManualClock clock_;
  base::SeededRng rng_{7};
  Subscriptions subscriptions_;
  Browsers browsers_;
  ListedLink link_;
};

TEST_F(RealBrowser, RegistersAndGetsAnEndpoint) {
  const std::string uaid = greet(link_);
  EXPECT_FALSE(uaid.empty());
  EXPECT_EQ(link_.sent[0], (json{{"messageType", "hello"},
                                 {"uaid", uaid},
                                 {"status", 200},
                                 {"use_webpush", true},
                                 {"broadcasts", json::object()}}));
  const json answer = enroll(link_);
  EXPECT_EQ(answer["status"], 200);
  EXPECT_EQ(answer["channelID"], kChannel);
  const auto subscription = subscriptions_.find(subscription_of(answer));
  ASSERT_TRUE(subscription);
  EXPECT_FALSE(subscription->keys);
  EXPECT_EQ(subscription->vapid_key + "=", kSenderKey);
  EXPECT_EQ(answer["pushEndpoint"], "https://localhost:9/wp/" + subscription_of(answer));
}

TEST_F(RealBrowser, RegistersAgainAfterALostAnswer) {
  greet(link_);
  const json first = enroll(link_);
  EXPECT_EQ(enroll(link_), first);
  EXPECT_EQ(enroll(link_, kChannel, "")["status"], 409);
  EXPECT_NE(enroll(link_, kOtherChannel)["pushEndpoint"], first["pushEndpoint"]);
}

TEST_F(RealBrowser, IsRefusedAKeyThatIsNoPoint) {
  greet(link_);
  EXPECT_EQ(enroll(link_, kChannel, "BA1H")["status"], 400);
  EXPECT_EQ(enroll(link_, kChannel, "?")["status"], 400);
}

TEST_F(RealBrowser, GetsMessagesAndAcknowledgesThem) {
  greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  deliver(subscription, "m1");
  EXPECT_EQ(link_.sent.back(), (json{{"messageType", "notification"},
                                     {"channelID", kChannel},
                                     {"version", "m1"},
                                     {"ttl", 60},
                                     {"data", base::base64url_encode("encrypted")},
                                     {"headers", {{"encoding", "aes128gcm"}}}}));
  EXPECT_EQ(browsers_.stats()["waiting"], 1);
  acknowledge(link_, link_.sent.back());
  acknowledge(link_, link_.sent.back());
  EXPECT_EQ(browsers_.stats()["waiting"], 0);
  EXPECT_EQ(browsers_.stats()["acks"], (json{{"100", 1}}));
  EXPECT_EQ(
      browsers_.channel_stats(subscription),
      (json{{"connected", true}, {"registered", true}, {"waiting", 0}, {"acks", {{"100", 1}}}}));
  say(link_, {{"messageType", "nack"}, {"version", "m1"}, {"code", 302}});
  EXPECT_EQ(browsers_.stats()["nacks"], (json{{"302", 1}}));
  EXPECT_EQ(link_.closed, "");
}

TEST_F(RealBrowser, GetsAgainWhatItHasNotAcknowledged) {
  const std::string uaid = greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  deliver(subscription, "m1");
  deliver(subscription, "m2");
  acknowledge(link_, link_.sent.back());
  browsers_.disconnected(link_);
  deliver(subscription, "m3");
  EXPECT_EQ(versions(link_), (Versions{"m1", "m2"}));
  ListedLink next;
  EXPECT_EQ(greet(next, uaid), uaid);
  EXPECT_EQ(versions(next), (Versions{"m1", "m3"}));
  const json stats = browsers_.stats();
  EXPECT_EQ(stats["sent"], 3);
  EXPECT_EQ(stats["sent_again"], 1);
}

TEST_F(RealBrowser, GetsNothingThatHasExpired) {
  const std::string uaid = greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  deliver(subscription, "now", "", std::chrono::seconds(0));
  EXPECT_EQ(versions(link_), (Versions{"now"}));
  browsers_.disconnected(link_);
  deliver(subscription, "too late", "", std::chrono::seconds(0));
  deliver(subscription, "short", "", std::chrono::seconds(10));
  deliver(subscription, "long");
  clock_.advance(std::chrono::seconds(10));
  ListedLink next;
  greet(next, uaid);
  EXPECT_EQ(versions(next), (Versions{"long"}));
  EXPECT_EQ(browsers_.stats()["expired"], 3);
}

TEST_F(RealBrowser, GetsTheNewestOfATopicOnly) {
  const std::string uaid = greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  const std::string other = subscription_of(enroll(link_, kOtherChannel));
  browsers_.disconnected(link_);
  deliver(subscription, "m1", "chat");
  deliver(subscription, "m2", "other");
  deliver(other, "m3", "chat");
  deliver(subscription, "m4", "chat");
  ListedLink next;
  greet(next, uaid);
  EXPECT_EQ(versions(next), (Versions{"m2", "m3", "m4"}));
  EXPECT_EQ(browsers_.stats()["replaced"], 1);
}

TEST_F(RealBrowser, KeepsTheLastMessages) {
  const std::string uaid = greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  browsers_.disconnected(link_);
  for (std::size_t i = 0; i <= Browsers::kMaxWaiting; ++i) {
    deliver(subscription, fmt::format("m{}", i).c_str());
  }
  ListedLink next;
  greet(next, uaid);
  ASSERT_EQ(versions(next).size(), Browsers::kMaxWaiting);
  EXPECT_EQ(versions(next).front(), "m1");
  EXPECT_EQ(browsers_.stats()["dropped"], 1);
}

TEST_F(RealBrowser, HasALimitOfChannels) {
  greet(link_);
  for (std::size_t i = 0; i < Browsers::kMaxChannels; ++i) {
    const std::string channel = fmt::format("{:08x}-6c49-41ad-af6e-95d2425276bf", i);
    EXPECT_EQ(enroll(link_, channel.c_str())["status"], 200);
    say(link_, {{"messageType", "unregister"}, {"channelID", channel}});
  }
  EXPECT_EQ(enroll(link_)["status"], 429);
}

TEST_F(RealBrowser, GetsNothingOnAChannelThatItHasLeft) {
  greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  deliver(subscription, "m1");
  say(link_, {{"messageType", "unregister"}, {"channelID", kChannel}, {"code", 200}});
  EXPECT_EQ(link_.sent.back(),
            (json{{"messageType", "unregister"}, {"channelID", kChannel}, {"status", 200}}));
  EXPECT_TRUE(subscriptions_.find(subscription)->ended);
  EXPECT_EQ(browsers_.stats()["waiting"], 0);
  deliver(subscription, "m2");
  EXPECT_EQ(versions(link_), (Versions{"m1"}));
  EXPECT_EQ(browsers_.channel_stats(subscription)->at("registered"), false);
}

TEST_F(RealBrowser, HasOneConnection) {
  const std::string uaid = greet(link_);
  const std::string subscription = subscription_of(enroll(link_));
  ListedLink next;
  greet(next, uaid);
  EXPECT_NE(link_.closed, "");
  browsers_.disconnected(link_);
  deliver(subscription, "m1");
  EXPECT_EQ(versions(next), (Versions{"m1"}));
  EXPECT_EQ(browsers_.stats()["connected"], 1);
}

TEST_F(RealBrowser, IsAnotherOneWithAnIdThatNobodyKnows) {
  const std::string uaid = greet(link_, "0190a5b2-0000-7000-8000-000000000001");
  EXPECT_NE(uaid, "0190a5b2-0000-7000-8000-000000000001");
  EXPECT_FALSE(uaid.empty());
}

TEST_F(RealBrowser, IsAnsweredAPing) {
  say(link_, json::object());
  EXPECT_EQ(link_.sent, std::vector<json>{json::object()});
}

TEST_F(RealBrowser, MayAskForBroadcasts) {
  greet(link_);
  say(link_, {{"messageType", "broadcast_subscribe"}, {"broadcasts", {{"a/b", "1"}}}});
  EXPECT_EQ(link_.sent.size(), 1u);
  EXPECT_EQ(link_.closed, "");
}

TEST_F(RealBrowser, IsDisconnectedIfItSaysWhatNoBrowserSays) {
  const std::vector<std::string> nonsense{
      "", "[]", R"({"messageType":7})", R"({"messageType":"hello"})",
      R"({"messageType":"register","channelID":"0ef2ad4a-6c49-41ad-af6e-95d2425276bf"})"};
  for (const std::string& text : nonsense) {
    ListedLink link;
    browsers_.receive(link, text);
    EXPECT_NE(link.closed, "") << text;
  }
  const std::vector<std::string> later{R"({"messageType":"hello","use_webpush":true})",
                                       R"({"messageType":"shout"})",
                                       R"({"messageType":"register"})",
                                       R"({"messageType":"register","channelID":"x"})",
                                       R"({"messageType":"ack","updates":[{}]})",
                                       R"({"messageType":"nack","code":100})"};
  for (const std::string& text : later) {
    ListedLink link;
    greet(link);
    browsers_.receive(link, text);
    EXPECT_NE(link.closed, "") << text;
    browsers_.disconnected(link);
  }
  EXPECT_EQ(browsers_.stats()["closed"], nonsense.size() + later.size());
}

TEST_F(RealBrowser, IsForgottenWhenTheSimulatorIsReset) {
  const std::string uaid = greet(link_);
  browsers_.clear();
  EXPECT_EQ(link_.closed, "cut");
  ListedLink next;
  EXPECT_NE(greet(next, uaid), uaid);
  EXPECT_EQ(browsers_.stats()["known"], 1);
}

}  // namespace
}  // namespace notify::simulator
