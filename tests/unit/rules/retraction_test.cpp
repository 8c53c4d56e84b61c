#include "rules/retraction.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fakes/samples.hpp"
#include "rules/apns.hpp"
#include "rules/codec.hpp"
#include "rules/fcm.hpp"
#include "rules/web_push.hpp"

namespace notify::rules {
namespace {

using nlohmann::json;

const base::WallTime kRetractedAt(std::chrono::milliseconds(1'790'000'000'000));

struct RetractionTest : testing::Test {
  std::uint8_t ids = 100;

  std::vector<Notification> make(const std::vector<Notification>& originals,
                                 std::optional<std::int32_t> badge = {}) {
    return make_retractions(originals, badge,
                            [this] { return fakes::sample_notification(kRetractedAt, ids++).id; });
  }
  static Notification original(std::uint8_t n, std::string collapse_id = {}) {
    Notification notification = fakes::sample_notification(kRetractedAt, n);
    notification.presentation.collapse_id = std::move(collapse_id);
    return notification;
  }
  static Device android() {
    Device device = fakes::sample_device();
    device.platform = Platform::android;
    return device;
  }
  static json fcm(const Notification& n) {
    return json::parse(fcm_body(n, {}, android(), {}, kRetractedAt, FcmMode::deliver))["message"];
  }
};

TEST_F(RetractionTest, OneIsMadeOfSeveralAndNamesThemAll) {
  const auto made = make({original(1), original(2, "chat"), original(3, "chat")}, 7);
  ASSERT_EQ(made.size(), 1u);
  const Notification& n = made[0];
  EXPECT_TRUE(n.is_retraction());
  EXPECT_EQ(n.type, "retraction");
  EXPECT_EQ(n.user, original(1).user);
  EXPECT_TRUE(n.title.empty() && n.body.empty() && n.presentation.background);
  EXPECT_EQ(n.expires_at, n.created_at() + std::chrono::hours(4));
  const auto& data = n.presentation.data;
  EXPECT_EQ(
      json::parse(data.at("retracted_ids")),
      json({original(1).id.to_string(), original(2).id.to_string(), original(3).id.to_string()}));
  EXPECT_EQ(json::parse(data.at("retracted_collapse_ids")), json({"chat"}));
  EXPECT_EQ(data.at("badge"), "7");
}

TEST_F(RetractionTest, WithoutOriginalsThereIsNone) { EXPECT_TRUE(make({}).empty()); }

TEST_F(RetractionTest, EachPriorityHasItsOwnAndABadgeIsNotMadeUp) {
  Notification urgent = original(1);
  urgent.priority = Priority::high;
  const auto made = make({original(2), urgent});
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0].priority, Priority::high);
  EXPECT_EQ(made[1].priority, Priority::medium);
  EXPECT_FALSE(made[0].presentation.data.contains("badge"));
  EXPECT_FALSE(made[0].presentation.data.contains("retracted_collapse_ids"));
}

TEST_F(RetractionTest, WhatHasNoRoomInOnePayloadIsInAnother) {
  std::vector<Notification> originals;
  for (std::uint8_t i = 1; i <= 99; ++i) {
    originals.push_back(original(i, std::string(62, '"') + static_cast<char>('0' + i / 10) +
                                        static_cast<char>('0' + i % 10)));
  }
  const auto made = make(originals, 1'000'000);
  EXPECT_GT(made.size(), 1u);
  std::size_t named = 0;
  Style style;
  style.preview = PreviewLevel::sender;
  style.is_silent = true;
  for (const Notification& n : made) {
    named += n.presentation.retracts.size();
    EXPECT_LE(apns_payload(n, style, {}).size(), kApnsPayloadMax);
    EXPECT_LE(web_push_payload(n, style, {}).size(), kWebPushPayloadMax);
  }
  EXPECT_EQ(named, originals.size());
}

TEST_F(RetractionTest, OneCollapseIdOfAllReplacesWhatIsStillHeld) {
  EXPECT_EQ(collapse_id_of(make({original(1, "chat"), original(2, "chat")})[0]), "chat");
  EXPECT_EQ(collapse_id_of(make({original(1, "chat"), original(2)})[0]), "");
  EXPECT_EQ(collapse_id_of(make({original(1, "chat"), original(2, "call")})[0]), "");
  EXPECT_EQ(collapse_id_of(original(1, "chat")), "chat");
}

TEST_F(RetractionTest, AppleGetsASilentPush) {
  const Notification n = make({original(1, "chat")}, 0)[0];
  const ApnsHeaders headers = apns_headers(n, fakes::sample_device().id);
  EXPECT_EQ(headers.push_type, "background");
  EXPECT_EQ(headers.priority, "5");
  EXPECT_EQ(headers.collapse_id, "chat");
  const json payload = json::parse(apns_payload(n, {}, {}));
  EXPECT_EQ(payload["aps"], json({{"content-available", 1}}));
  EXPECT_EQ(payload["badge"], "0");
  EXPECT_EQ(json::parse(payload["retracted_ids"].get<std::string>()),
            json({original(1).id.to_string()}));
}

TEST_F(RetractionTest, FcmGetsDataAloneAndNoKeyOfVisibleOnes) {
  const json visible = fcm(make({original(1, "chat")})[0]);
  EXPECT_FALSE(visible.contains("notification"));
  EXPECT_EQ(visible["android"]["priority"], "NORMAL");
  EXPECT_FALSE(visible["android"].contains("collapse_key"));
  EXPECT_TRUE(visible["data"].contains("retracted_collapse_ids"));
  Notification background = original(1, "sync");
  background.presentation.background = true;
  EXPECT_EQ(fcm(make({background})[0])["android"]["collapse_key"], "sync");
}

TEST_F(RetractionTest, ABrowserGetsDataForItsWorker) {
  const json payload = json::parse(web_push_payload(make({original(1)}, 3)[0], {}, {}));
  EXPECT_EQ(payload["background"], true);
  EXPECT_EQ(payload["data"]["badge"], "3");
  EXPECT_TRUE(payload["data"].contains("retracted_ids"));
}

TEST_F(RetractionTest, WhatNeedsNoRemovalIsTakenOut) {
  Notification n = make({original(1, "a"), original(2, "b")})[0];
  keep_retracted(n, [](base::NotificationId id) { return id == original(2).id; });
  EXPECT_EQ(n.presentation.retracts.size(), 1u);
  EXPECT_EQ(json::parse(n.presentation.data.at("retracted_collapse_ids")), json({"b"}));
  EXPECT_EQ(collapse_id_of(n), "b");
  keep_retracted(n, [](base::NotificationId) { return false; });
  EXPECT_FALSE(n.is_retraction());
  EXPECT_FALSE(n.presentation.data.contains("retracted_collapse_ids"));
}

TEST_F(RetractionTest, TheQueueAndTheRowKeepIt) {
  Notification background = original(2);
  background.presentation.background = true;
  const Notification n = make({original(1, "chat"), background}, 2)[0];
  EXPECT_EQ(decode_queue_item(encode_queue_item(n)).value(), n);
  EXPECT_EQ(decode_presentation(encode_presentation(n.presentation)).value(), n.presentation);
}

TEST_F(RetractionTest, AMarkIsReadAsItWasWritten) {
  const RetractionMark marks[] = {{kRetractedAt, original(9).id, "spiffe://whispr/chat"},
                                  {kRetractedAt, std::nullopt, ""}};
  for (const RetractionMark& mark : marks) {
    EXPECT_EQ(decode_metadata("{\"retracted\":" + encode_mark(mark) + "}")->retracted, mark);
  }
  EXPECT_FALSE(decode_metadata("{}")->retracted);
  EXPECT_FALSE(decode_metadata(R"({"retracted":{"at":"soon"}})")->retracted);
}

}  // namespace
}  // namespace notify::rules
