#include "rules/fcm.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fakes/samples.hpp"

namespace notify::rules {
namespace {

using fakes::sample_notification;
using nlohmann::json;
using namespace std::chrono_literals;

const base::WallTime kSentByFcmAt(std::chrono::milliseconds(1'790'000'000'000));
const std::string kToken = "dAbCdEfGhIjKlMnOpQrStU:" + std::string(140, 'A');

Device device_of(Platform platform, std::string token = kToken) {
  Device device = fakes::sample_device();
  device.platform = platform;
  device.token = base::Secret(std::move(token));
  return device;
}

json body_of(const Notification& n, const Style& style = {},
             const Device& device = device_of(Platform::android),
             base::WallTime now = kSentByFcmAt) {
  return json::parse(fcm_body(n, style, device, {}, now));
}
json message_of(const Notification& n, const Style& style = {},
                const Device& device = device_of(Platform::android)) {
  return body_of(n, style, device).at("message");
}

TEST(FcmBody, IsExactlyThisForAVisibleNotificationToAndroid) {
  Notification n = sample_notification(kSentByFcmAt);
  n.priority = Priority::high;
  n.presentation.data = {{"ciphertext", "q83v"}, {"room", "7"}};
  n.presentation.badge = 3;
  EXPECT_EQ(fcm_body(n, {.sound = "bell"}, device_of(Platform::android), {}, kSentByFcmAt),
            R"({"message":{"notification":{"title":"Dora","body":"Are you coming?"},)"
            R"("data":{"notification_id":")" +
                n.id.to_string() +
                R"(","ciphertext":"q83v","room":"7"},)"
                R"("android":{"priority":"HIGH","ttl":"14400s","notification":{"tag":")" +
                n.id.to_string() +
                R"(","channel_id":"message","sound":"bell","default_vibrate_timings":true,)"
                R"("notification_count":3,"notification_priority":"PRIORITY_HIGH"}},)"
                R"("token":")" +
                kToken + R"("}})");
}

TEST(FcmBody, EveryTryHasTheSameTagAndTheTimeThatIsLeft) {
  const Notification n = sample_notification(kSentByFcmAt);
  const json first = body_of(n);
  const json second = body_of(n, {}, device_of(Platform::android), kSentByFcmAt + 1h + 1ms);
  EXPECT_EQ(first["message"]["android"]["ttl"], "14400s");
  EXPECT_EQ(second["message"]["android"]["ttl"], "10799s");
  EXPECT_EQ(first["message"]["android"]["notification"]["tag"],
            second["message"]["android"]["notification"]["tag"]);
  EXPECT_EQ(
      body_of(n, {}, device_of(Platform::android), n.expires_at + 1h)["message"]["android"]["ttl"],
      "0s");
}

TEST(FcmBody, ATimeToLiveIsAtMostFourWeeks) {
  Notification n = sample_notification(kSentByFcmAt);
  n.expires_at = kSentByFcmAt + 24h * 40;
  EXPECT_EQ(message_of(n)["android"]["ttl"], "2419200s");
}

TEST(FcmBody, ACollapseIdIsATagAndOnlyInTheBackgroundAKey) {
  Notification n = sample_notification(kSentByFcmAt);
  n.presentation.collapse_id = "room-7";
  EXPECT_EQ(message_of(n)["android"]["notification"]["tag"], "room-7");
  EXPECT_FALSE(message_of(n)["android"].contains("collapse_key"));
  n.title = n.body = "";
  n.presentation.background = true;
  EXPECT_EQ(message_of(n)["android"]["collapse_key"], "room-7");
  EXPECT_FALSE(message_of(n)["android"].contains("notification"));
}

TEST(FcmBody, OnlyWhatIsHighVisibleAndLoudWakesAPhone) {
  Notification n = sample_notification(kSentByFcmAt);
  EXPECT_EQ(message_of(n)["android"]["priority"], "NORMAL");
  n.priority = Priority::high;
  EXPECT_EQ(message_of(n)["android"]["priority"], "HIGH");
  EXPECT_EQ(message_of(n, {.is_silent = true})["android"]["priority"], "NORMAL");
  n.title = n.body = "";
  n.presentation.background = true;
  EXPECT_EQ(message_of(n)["android"]["priority"], "NORMAL");
}

TEST(FcmBody, QuietHoursMakeNoSound) {
  const Notification n = sample_notification(kSentByFcmAt);
  const json shown =
      message_of(n, {.vibrates = false, .is_silent = true})["android"]["notification"];
  EXPECT_EQ(shown["channel_id"], "silent");
  EXPECT_EQ(shown["notification_priority"], "PRIORITY_LOW");
  EXPECT_FALSE(shown.contains("sound"));
  EXPECT_FALSE(shown.contains("default_vibrate_timings"));
}

TEST(FcmBody, ABackgroundPushIsDataAlone) {
  Notification n = sample_notification(kSentByFcmAt);
  n.title = n.body = "";
  n.presentation.background = true;
  n.presentation.data = {{"sync", "1"}};
  const json android = message_of(n, {.is_silent = true});
  EXPECT_FALSE(android.contains("notification"));
  EXPECT_EQ(android["data"],
            json({{"notification_id", n.id.to_string()}, {"quiet", "true"}, {"sync", "1"}}));
  const json ios = message_of(n, {}, device_of(Platform::ios));
  EXPECT_FALSE(ios.contains("notification"));
  EXPECT_EQ(ios["apns"]["payload"]["aps"], json({{"content-available", 1}}));
  EXPECT_EQ(ios["apns"]["headers"]["apns-priority"], "5");
  EXPECT_EQ(ios["apns"]["headers"]["apns-push-type"], "background");
  const json web = message_of(n, {}, device_of(Platform::web));
  EXPECT_EQ(web["webpush"]["headers"]["Urgency"], "low");
  EXPECT_FALSE(web["webpush"].contains("notification"));
}

TEST(FcmBody, WhatTheAppRewritesIsDataWhereFcmWouldShowIt) {
  Notification n = sample_notification(kSentByFcmAt);
  n.presentation.mutable_content = true;
  n.presentation.category = "MESSAGE";
  n.presentation.badge = 2;
  n.presentation.data = {{"ciphertext", "q83v"}};
  n.priority = Priority::high;
  for (const Platform platform : {Platform::android, Platform::web}) {
    const json message = message_of(n, {.sound = "bell"}, device_of(platform));
    EXPECT_FALSE(message.contains("notification"));
    EXPECT_EQ(message["data"]["ciphertext"], "q83v");
    EXPECT_EQ(json::parse(message["data"]["notification_alert"].get<std::string>()),
              json({{"title", "Dora"},
                    {"body", "Are you coming?"},
                    {"sound", "bell"},
                    {"tag", n.id.to_string()},
                    {"category", "MESSAGE"},
                    {"badge", 2}}));
  }
  EXPECT_EQ(message_of(n)["android"]["priority"], "HIGH");
  const json ios = message_of(n, {}, device_of(Platform::ios));
  EXPECT_EQ(ios["notification"]["title"], "Dora");
  EXPECT_EQ(ios["apns"]["payload"]["aps"]["mutable-content"], 1);
  EXPECT_FALSE(ios["data"].contains("notification_alert"));
}

TEST(FcmBody, AnAppleDeviceGetsTheDictionaryOfApple) {
  Notification n = sample_notification(kSentByFcmAt);
  n.conversation = base::ConversationId(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
  n.presentation.badge = 1;
  n.presentation.category = "MESSAGE";
  const json message = message_of(n, {.sound = "bell"}, device_of(Platform::ios));
  EXPECT_EQ(message["apns"], json({{"headers",
                                    {{"apns-push-type", "alert"},
                                     {"apns-priority", "10"},
                                     {"apns-expiration", "1790014400"},
                                     {"apns-collapse-id", n.id.to_string()}}},
                                   {"payload",
                                    {{"aps",
                                      {{"badge", 1},
                                       {"sound", "bell"},
                                       {"thread-id", "c0000000-0000-4000-8000-000000000001"},
                                       {"category", "MESSAGE"}}}}}}));
  EXPECT_FALSE(message.contains("android"));
}

TEST(FcmBody, ABrowserGetsTtlUrgencyAndTopic) {
  Notification n = sample_notification(kSentByFcmAt);
  n.presentation.collapse_id = "room-7";
  const json message = message_of(n, {.sound = "default"}, device_of(Platform::web));
  EXPECT_EQ(message["webpush"],
            json({{"headers", {{"TTL", "14400"}, {"Urgency", "normal"}, {"Topic", "room-7"}}},
                  {"notification", {{"tag", "room-7"}}}}));
  EXPECT_EQ(message_of(n, {}, device_of(Platform::web))["webpush"]["notification"]["silent"], true);
  n.presentation.collapse_id = std::string(33, 'x');
  EXPECT_FALSE(message_of(n, {}, device_of(Platform::web))["webpush"]["headers"].contains("Topic"));
}

/// Requests of Google's own library for such a notification, as they came over the wire; it writes
/// names of enums in lower case, which Google takes too.
/// Source: firebase-admin 13.10.0 for Node, messaging().sendEach(), recorded by push-simulator.
constexpr const char* kFromFirebaseAdmin[] = {
    R"({"notification":{"title":"Dora","body":"Are you coming?"},"data":{"notification_id":"",
        "ciphertext":"q83v"},"android":{"priority":"HIGH","ttl":"14400s","notification":
        {"tag":"chat-42","sound":"ping","channel_id":"message","notification_priority":
        "PRIORITY_HIGH","default_vibrate_timings":true,"notification_count":7}}})",
    R"({"notification":{"title":"Dora","body":"Are you coming?"},"data":{"notification_id":"",
        "ciphertext":"q83v"},"apns":{"headers":{"apns-push-type":"alert","apns-priority":"10",
        "apns-expiration":"1790014400","apns-collapse-id":"chat-42"},"payload":{"aps":{"badge":7,
        "sound":"ping","category":"MESSAGE","mutable-content":1,"thread-id":
        "c0000000-0000-4000-8000-000000000001"}}}})",
    R"({"notification":{"title":"Dora","body":"Are you coming?"},"data":{"notification_id":"",
        "ciphertext":"q83v"},"webpush":{"headers":{"TTL":"14400","Urgency":"high","Topic":
        "chat-42"},"notification":{"tag":"chat-42","silent":true}}})",
};

TEST(FcmBody, IsTheSameAsThatOfGooglesOwnLibrary) {
  Notification n = sample_notification(kSentByFcmAt);
  n.conversation = base::ConversationId(fakes::uuid("c0000000-0000-4000-8000-000000000001"));
  n.priority = Priority::high;
  n.presentation = {.data = {{"ciphertext", "q83v"}},
                    .collapse_id = "chat-42",
                    .badge = 7,
                    .sound = "ping",
                    .category = "MESSAGE"};
  const Platform platforms[] = {Platform::android, Platform::ios, Platform::web};
  for (int i = 0; i < 3; ++i) {
    n.presentation.mutable_content = platforms[i] == Platform::ios;
    const Style style{.sound = platforms[i] == Platform::web ? "" : "ping"};
    json ours = message_of(n, style, device_of(platforms[i]));
    EXPECT_EQ(ours["token"], kToken);
    ours.erase("token");
    json theirs = json::parse(kFromFirebaseAdmin[i]);
    theirs["data"]["notification_id"] = n.id.to_string();
    EXPECT_EQ(ours, theirs);
  }
}

TEST(FcmBody, ShowsAsMuchAsTheUserWants) {
  const Notification n = sample_notification(kSentByFcmAt);
  const json hidden = message_of(n, {.preview = PreviewLevel::none});
  EXPECT_EQ(hidden["notification"], json({{"title", "Whispr"}, {"body", "New message"}}));
  EXPECT_EQ(hidden["data"]["preview"], "none");
  EXPECT_EQ(hidden.dump().find("Dora"), std::string::npos);
  const json sender = message_of(n, {.preview = PreviewLevel::sender});
  EXPECT_EQ(sender["notification"], json({{"title", "Dora"}, {"body", "New message"}}));
}

TEST(FcmBody, LongTextsAreCutUntilTheMessageFits) {
  Notification n = sample_notification(kSentByFcmAt);
  n.body.assign(4000, 'b');
  n.presentation.data = {{"ciphertext", std::string(2000, 'c')}};
  for (const Platform platform : {Platform::android, Platform::ios, Platform::web}) {
    for (const bool is_mutable : {false, true}) {
      n.presentation.mutable_content = is_mutable;
      json message = message_of(n, {.sound = "bell"}, device_of(platform));
      message.erase("token");
      EXPECT_LE(message.dump().size(), kFcmPayloadMax);
      EXPECT_GT(message.dump().size(), kFcmPayloadMax - 100);
      EXPECT_EQ(message["data"]["ciphertext"], std::string(2000, 'c'));
    }
  }
}

TEST(FcmBody, AnUnsentMessageIsNeverLongerThanItsBound) {
  Notification n = sample_notification(kSentByFcmAt);
  n.title.assign(60, 't');
  n.body.assign(60, 'b');
  n.presentation.sound = "default";
  n.presentation.data = {{"a", std::string(1000, 'x')}};
  const std::size_t bound = fcm_service().least_payload(n);
  for (const Platform platform : {Platform::android, Platform::ios, Platform::web}) {
    for (const PreviewLevel level :
         {PreviewLevel::full, PreviewLevel::sender, PreviewLevel::none}) {
      for (const bool is_silent : {false, true}) {
        const Style style{
            .sound = std::string(kSoundMax, 's'), .is_silent = is_silent, .preview = level};
        json message = message_of(n, style, device_of(platform));
        message.erase("token");
        EXPECT_LE(message.dump().size(), bound);
      }
    }
  }
}

TEST(FcmBody, ReservedKeysOfAnEarlierVersionAreLeftOut) {
  Notification n = sample_notification(kSentByFcmAt);
  n.presentation.data = {{"from", "x"},
                         {"google.x", "x"},
                         {"gcm.y", "x"},
                         {"notification_alert", "x"},
                         {"notification_id", "x"},
                         {"ok", "x"}};
  EXPECT_EQ(message_of(n)["data"], json({{"notification_id", n.id.to_string()}, {"ok", "x"}}));
}

TEST(FcmBody, ADryRunIsOnlyValidated) {
  const Notification n = sample_notification(kSentByFcmAt);
  const json body = json::parse(
      fcm_body(n, {}, device_of(Platform::android), {}, kSentByFcmAt, FcmMode::validate_only));
  EXPECT_EQ(body["validate_only"], true);
  EXPECT_FALSE(body_of(n).contains("validate_only"));
}

TEST(FcmBody, AnInstallationIdGoesUnderItsOwnName) {
  const json message = message_of(sample_notification(kSentByFcmAt), {},
                                  device_of(Platform::android, "dAbCdEfGhIjKlMnOpQrStU"));
  EXPECT_EQ(message["fid"], "dAbCdEfGhIjKlMnOpQrStU");
  EXPECT_FALSE(message.contains("token"));
}

TEST(FcmService, ServesAndroidAndWhatIsRegisteredWithFcm) {
  const PushService fcm = fcm_service();
  EXPECT_TRUE(fcm.serves(device_of(Platform::android)));
  EXPECT_TRUE(fcm.serves(device_of(Platform::android, "short")));
  EXPECT_TRUE(fcm.serves(device_of(Platform::ios)));
  EXPECT_TRUE(fcm.serves(device_of(Platform::web)));
  EXPECT_FALSE(fcm.serves(device_of(Platform::ios, std::string(64, 'a'))));
  EXPECT_FALSE(fcm.serves(device_of(Platform::ios, std::string(200, 'a'))));
  EXPECT_FALSE(fcm.serves(device_of(Platform::web, R"({"endpoint":"https://push.example/x"})")));
  EXPECT_FALSE(fcm.serves(device_of(Platform::unknown)));
}

}  // namespace
}  // namespace notify::rules
