#include "rules/web_push.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fakes/samples.hpp"
#include "rules/fitted_text.hpp"

namespace notify::rules {
namespace {

using fakes::sample_notification;
using nlohmann::json;

const base::WallTime kPushedAt(std::chrono::milliseconds(1'790'000'000'000));
const WebPushTexts kTexts{{}, "https://app.whispr.example/"};

json payload(const Notification& n, const Style& style) {
  return json::parse(web_push_payload(n, style, kTexts));
}

TEST(WebPushPayload, IsDeclarativeAndCarriesEverythingThatIsSet) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.data = {{"k", "v\"quoted\""}};
  n.presentation.badge = 3;
  n.presentation.category = "MESSAGE";
  n.presentation.collapse_id = "chat-7";
  n.presentation.mutable_content = true;
  const std::string id = n.id.to_string();
  EXPECT_EQ(web_push_payload(n, {.sound = "default"}, kTexts),
            R"({"web_push":8030,"notification":{"title":"Dora",)"
            R"("navigate":"https://app.whispr.example/","body":"Are you coming?","tag":"chat-7",)"
            R"("renotify":true,"app_badge":"3","timestamp":)" +
                std::to_string(n.begins_at().time_since_epoch().count()) +
                R"(,"data":{"notification_id":")" + id +
                R"(","k":"v\"quoted\""}},"category":"MESSAGE","mutable":true})");
}

TEST(WebPushPayload, ARepeatReplacesWhatIsShown) {
  const Notification n = sample_notification(kPushedAt);
  EXPECT_EQ(payload(n, {.sound = "bell"})["notification"]["tag"], n.id.to_string());
  EXPECT_FALSE(payload(n, {.sound = "bell"})["notification"].contains("renotify"));
}

TEST(WebPushPayload, WhatMakesNoSoundIsSilent) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.collapse_id = "chat-7";
  const json loud = payload(n, {.sound = "bell"})["notification"];
  EXPECT_FALSE(loud.contains("silent"));
  EXPECT_FALSE(loud.contains("vibrate"));
  for (const Style& style : {Style{.sound = ""}, Style{.sound = "bell", .is_silent = true}}) {
    const json quiet = payload(n, style)["notification"];
    EXPECT_EQ(quiet["silent"], true);
    EXPECT_FALSE(quiet.contains("renotify"));
    EXPECT_FALSE(quiet.contains("vibrate")) << "a silent notification with it is an error";
  }
  EXPECT_EQ(payload(n, {.sound = "bell", .vibrates = false})["notification"]["vibrate"],
            json::array());
}

TEST(WebPushPayload, APreviewLevelHidesTextsAndIsTold) {
  const Notification n = sample_notification(kPushedAt);
  Style style;
  style.preview = PreviewLevel::none;
  const json none = payload(n, style)["notification"];
  EXPECT_EQ(none["title"], "Whispr");
  EXPECT_EQ(none["body"], "New message");
  EXPECT_EQ(none["data"]["preview"], "none");
  style.preview = PreviewLevel::sender;
  EXPECT_EQ(payload(n, style)["notification"]["title"], "Dora");
  EXPECT_EQ(payload(n, style)["notification"]["body"], "New message");
}

TEST(WebPushPayload, AKeyOfDataNeverOverwritesOneOfOurs) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.data = {{"preview", "x"}, {"notification_id", "x"}, {"quiet", "x"}, {"aps", "y"}};
  const json data = payload(n, {})["notification"]["data"];
  EXPECT_EQ(data, (json{{"notification_id", n.id.to_string()}, {"aps", "y"}}));
}

TEST(WebPushPayload, OfABackgroundNotificationIsForTheServiceWorkerAlone) {
  Notification n = sample_notification(kPushedAt);
  n.title = n.body = "";
  n.presentation.background = true;
  n.presentation.data = {{"k", "v"}};
  EXPECT_EQ(payload(n, {}), (json{{"background", true},
                                  {"data", {{"notification_id", n.id.to_string()}, {"k", "v"}}}}));
  EXPECT_EQ(payload(n, {.is_silent = true})["data"]["quiet"], "true");
}

TEST(WebPushPayload, ACiphertextIsCarriedAsItIs) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.data = {{"ciphertext", std::string(2'800, 'A')}};
  Style style;
  style.preview = PreviewLevel::none;
  const json sent = payload(n, style)["notification"];
  EXPECT_EQ(sent["data"]["ciphertext"], std::string(2'800, 'A'));
  EXPECT_EQ(sent["body"], "New message");
}

TEST(WebPushPayload, TextsAreCutUntilItFits) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.data = {{"k", std::string(2'000, 'd')}};
  n.title = std::string(100, 't');
  n.body.clear();
  for (int i = 0; i < 1'000; ++i) n.body += "ü";
  const std::string sent = web_push_payload(n, {.sound = "bell"}, kTexts);
  EXPECT_LE(sent.size(), kWebPushPayloadMax);
  EXPECT_GT(sent.size(), kWebPushPayloadMax - 8);
  const std::string body = json::parse(sent)["notification"]["body"];
  EXPECT_TRUE(body.starts_with("üü") && body.ends_with("…"));
  EXPECT_EQ(json::parse(sent)["notification"]["title"], n.title);
}

TEST(WebPushPayload, TheLeastPayloadIsABound) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.collapse_id = std::string(64, 'c');
  n.presentation.badge = 99'999;
  n.presentation.mutable_content = true;
  const WebPushTexts longest{{}, std::string(kAppUrlMax, 'u')};
  n.title = std::string(kTextAlwaysShown, 't');
  n.body = std::string(kTextAlwaysShown, 'b');
  const std::size_t least = web_push_service().least_payload(n);
  for (const auto preview : {PreviewLevel::full, PreviewLevel::sender, PreviewLevel::none}) {
    for (const bool silent : {true, false}) {
      const Style style{.sound = silent ? "" : "bell",
                        .vibrates = false,
                        .is_silent = silent,
                        .preview = preview};
      EXPECT_LE(web_push_payload(n, style, longest).size(), least);
    }
  }
}

TEST(WebPushHeaders, TheTtlIsWhatIsLeft) {
  Notification n = sample_notification(kPushedAt);
  n.expires_at = kPushedAt + std::chrono::milliseconds(90'900);
  EXPECT_EQ(web_push_ttl(n, "push.example", kPushedAt), "90");
  EXPECT_EQ(web_push_ttl(n, "push.example", kPushedAt + std::chrono::seconds(60)), "30");
  EXPECT_EQ(web_push_ttl(n, "push.example", kPushedAt + std::chrono::hours(1)), "0");
  EXPECT_EQ(web_push_ttl(n, "db5.notify.windows.com", kPushedAt + std::chrono::hours(1)), "1");
  n.expires_at = kPushedAt + std::chrono::hours(24 * 365);
  EXPECT_EQ(web_push_ttl(n, "push.example", kPushedAt), "2419200");
}

TEST(WebPushHeaders, UrgencyIsThePriority) {
  Notification n = sample_notification(kPushedAt);
  n.priority = Priority::high;
  EXPECT_EQ(web_push_urgency(n), "high");
  n.priority = Priority::medium;
  EXPECT_EQ(web_push_urgency(n), "normal");
  n.priority = Priority::low;
  EXPECT_EQ(web_push_urgency(n), "low");
}

TEST(WebPushService, ServesWebDevicesWithASubscription) {
  Device device = fakes::sample_device();
  device.token = base::Secret(R"({"endpoint":""})");
  EXPECT_FALSE(web_push_service().serves(device));
  device.platform = Platform::web;
  EXPECT_TRUE(web_push_service().serves(device));
  EXPECT_EQ(push_service_of(device)->name, "webpush");
  device.token = base::Secret("not-a-subscription");
  EXPECT_FALSE(web_push_service().serves(device));
}

}  // namespace
}  // namespace notify::rules
