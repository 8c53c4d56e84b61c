#include "rules/web_push_subscription.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

using base::Errc;

base::Secret token(std::string_view endpoint) {
  return base::Secret(R"({"endpoint":")" + std::string(endpoint) +
                      R"(","expirationTime":null,"keys":{"p256dh":"P","auth":"A"}})");
}

WebPushSubscription parsed(std::string_view endpoint) {
  auto subscription = parse_subscription(token(endpoint));
  EXPECT_TRUE(subscription) << endpoint << ": " << subscription.error().detail;
  return subscription.value_or(WebPushSubscription{});
}

TEST(WebPushSubscription, IsReadAsABrowserWritesIt) {
  const auto s = parsed("https://Updates.Push.Services.Mozilla.com/wpush/v2/gAAA?x=1");
  EXPECT_EQ(s.origin, "https://updates.push.services.mozilla.com");
  EXPECT_EQ(s.host, "updates.push.services.mozilla.com");
  EXPECT_EQ(s.port, 443);
  EXPECT_EQ(s.path, "/wpush/v2/gAAA?x=1");
  EXPECT_EQ(s.p256dh, "P");
  EXPECT_EQ(s.auth, "A");
  EXPECT_EQ(s.vapid_key, "");
}

TEST(WebPushSubscription, AnOriginNamesItsPortUnlessItIs443) {
  EXPECT_EQ(parsed("https://push.example:443/x").origin, "https://push.example");
  EXPECT_EQ(parsed("https://push.example:8443/x").origin, "https://push.example:8443");
  EXPECT_EQ(parsed("https://[::1]:8443/x").origin, "https://[::1]:8443");
  EXPECT_EQ(parsed("https://[::1]:8443/x").host, "::1");
}

TEST(WebPushSubscription, AnotherFormOfEndpointIsRefused) {
  for (const char* endpoint : {"",
                               "http://push.example/x",
                               "HTTPS://push.example/x",
                               "//push.example/x",
                               "https://user@push.example/x",
                               "https://user:word@push.example/x",
                               "https:///x",
                               "https://push.example",
                               "https://push.example?x",
                               "https://push.example:0/x",
                               "https://push.example:65536/x",
                               "https://push.example:443x/x",
                               "https://push.example:/x",
                               "https://.push.example/x",
                               "https://push..example/x",
                               "https://push.example./x",
                               "https://push_example/x",
                               "https://push.example/x#y",
                               "https://push.example/a b",
                               "https://push.example\\\\@other/x",
                               "https://push.example/\\\\x",
                               "https://p\\u00fcsh/x",
                               "https://push.example/\\u00fc",
                               "https://push.example/x\\r\\ny",
                               "https://[::1/x",
                               "https://[zz]/x",
                               "https://%31%32%37.1/x"}) {
    const auto subscription = parse_subscription(token(endpoint));
    ASSERT_FALSE(subscription) << endpoint;
    EXPECT_EQ(subscription.error().code, Errc::invalid);
    EXPECT_EQ(subscription.error().detail.find("push.example"), std::string::npos);
  }
}

TEST(WebPushSubscription, WhatIsTooLongOrNoSubscriptionIsRefused) {
  const std::string longest = "https://push.example/" + std::string(kEndpointMax - 21, 'x');
  EXPECT_TRUE(parse_subscription(token(longest)));
  EXPECT_FALSE(parse_subscription(token(longest + "x")));
  for (const char* text :
       {"", "{", "[]", "{}", R"({"endpoint":7,"keys":{"p256dh":"P","auth":"A"}})",
        R"({"endpoint":"https://push.example/x"})",
        R"({"endpoint":"https://push.example/x","keys":{"auth":"A"}})",
        R"({"endpoint":"https://push.example/x","keys":{"p256dh":"P","auth":1}})"}) {
    EXPECT_FALSE(parse_subscription(base::Secret(text))) << text;
  }
  EXPECT_FALSE(parse_subscription(base::Secret(std::string(kSubscriptionMax + 1, ' '))));
}

TEST(WebPushSubscription, TheKeyItWasMadeWithIsRead) {
  const auto s = parse_subscription(base::Secret(
      R"({"endpoint":"https://p.example/x","keys":{"p256dh":"P","auth":"A"},"vapid_key":"BK"})"));
  ASSERT_TRUE(s);
  EXPECT_EQ(s->vapid_key, "BK");
}

bool allowed(const WebPushHosts& hosts, std::string_view endpoint) {
  return !hosts.flaw_of(parsed(endpoint));
}

TEST(WebPushHosts, OnlyListedHostsAreAsked) {
  const WebPushHosts hosts(
      {{"fcm.googleapis.com", "*.push.apple.com", "self.example:8443", "*.deep.example:99"}, {}});
  EXPECT_TRUE(allowed(hosts, "https://fcm.googleapis.com/fcm/send/x"));
  EXPECT_TRUE(allowed(hosts, "https://web.push.apple.com/x"));
  EXPECT_TRUE(allowed(hosts, "https://a.b.push.apple.com/x"));
  EXPECT_TRUE(allowed(hosts, "https://self.example:8443/x"));
  EXPECT_TRUE(allowed(hosts, "https://a.deep.example:99/x"));
  EXPECT_FALSE(allowed(hosts, "https://push.apple.com/x")) << "the suffix itself is not below it";
  EXPECT_FALSE(allowed(hosts, "https://evilpush.apple.com/x"));
  EXPECT_FALSE(allowed(hosts, "https://web.push.apple.com.evil.example/x"));
  EXPECT_FALSE(allowed(hosts, "https://evil-fcm.googleapis.com/x"));
  EXPECT_FALSE(allowed(hosts, "https://x.fcm.googleapis.com/x"));
  EXPECT_FALSE(allowed(hosts, "https://fcm.googleapis.com:8443/x"));
  EXPECT_FALSE(allowed(hosts, "https://self.example/x"));
  EXPECT_FALSE(allowed(hosts, "https://a.deep.example/x"));
}

TEST(WebPushHosts, AnAddressIsNoHostUnlessItIsNamedAsPrivate) {
  const std::vector<std::string> all = {"127.0.0.1:1", "[::1]:1", "127.1:1", "0x7f000001:1",
                                        "2130706433:1"};
  const WebPushHosts strict({all, {}});
  for (const std::string& entry : all) {
    EXPECT_FALSE(allowed(strict, "https://" + entry + "/x")) << entry;
  }
  const WebPushHosts open({all, {"127.0.0.1", "::1"}});
  EXPECT_TRUE(allowed(open, "https://127.0.0.1:1/x"));
  EXPECT_TRUE(allowed(open, "https://[::1]:1/x"));
  EXPECT_FALSE(allowed(open, "https://127.1:1/x"));
  EXPECT_TRUE(open.may_be_private("127.0.0.1"));
  EXPECT_FALSE(open.may_be_private("localhost"));
}

}  // namespace
}  // namespace notify::rules
