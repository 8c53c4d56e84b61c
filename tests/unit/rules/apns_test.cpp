#include "rules/apns.hpp"

#include <gtest/gtest.h>

#include "fakes/samples.hpp"
#include "rules/apns_answer.hpp"

namespace notify::rules {
namespace {

using fakes::sample_device;
using fakes::sample_notification;
using fakes::uuid;

const base::WallTime kPushedAt(std::chrono::milliseconds(1'790'000'000'000));

TEST(ApnsPayload, CarriesEverythingThatIsSet) {
  Notification n = sample_notification(kPushedAt);
  n.conversation = base::ConversationId(uuid("c0000000-0000-4000-8000-000000000001"));
  n.presentation.data = {{"k", "v\"quoted\""}};
  n.presentation.badge = 0;
  n.presentation.sound = "default";
  n.presentation.category = "MESSAGE";
  n.presentation.mutable_content = true;
  EXPECT_EQ(apns_payload(n, {.sound = "default"}, {}),
            R"({"aps":{"alert":{"title":"Dora","body":"Are you coming?"},"badge":0,)"
            R"("sound":"default","thread-id":"c0000000-0000-4000-8000-000000000001",)"
            R"("category":"MESSAGE","mutable-content":1},"notification_id":")" +
                n.id.to_string() + R"(","k":"v\"quoted\""})");
}

TEST(ApnsPayload, AKeyOfDataNeverOverwritesOneOfOurs) {
  Notification n = fakes::sample_notification(base::WallTime(std::chrono::hours(500'000)));
  n.presentation.data = {
      {"preview", "full"}, {"aps", "x"}, {"notification_id", "x"}, {"quiet", "x"}, {"k", "v"}};
  Style style;
  style.preview = PreviewLevel::none;
  const std::string payload = apns_payload(n, style, {});
  EXPECT_EQ(payload.find(R"("preview":"full")"), std::string::npos);
  EXPECT_EQ(payload.find(R"(:"x")"), std::string::npos);
  EXPECT_NE(payload.find(R"("k":"v")"), std::string::npos);
}

TEST(ApnsPayload, OfABackgroundNotificationShowsNothing) {
  Notification n = sample_notification(kPushedAt);
  n.title = n.body = "";
  n.presentation.background = true;
  EXPECT_EQ(apns_payload(n, {}, {}),
            R"({"aps":{"content-available":1},"notification_id":")" + n.id.to_string() + R"("})");
}

TEST(ApnsPayload, OfABackgroundNotificationInQuietHoursTellsTheAppToBeQuiet) {
  Notification n = sample_notification(kPushedAt);
  n.title = n.body = "";
  n.presentation.background = true;
  n.presentation.sound = "bell";
  EXPECT_EQ(apns_payload(n, {.is_silent = true}, {}),
            R"({"aps":{"content-available":1},"notification_id":")" + n.id.to_string() +
                R"(","quiet":true})");
  EXPECT_LE(apns_payload(n, {.is_silent = true, .preview = PreviewLevel::sender}, {}).size(),
            apns_service().least_payload(n));
}

TEST(ApnsPayload, ShowsAsMuchAsTheUserWants) {
  Notification n = sample_notification(kPushedAt);
  const OwnTexts own{"App", "Something new"};
  const auto payload = [&](Style style) { return apns_payload(n, style, own); };
  EXPECT_NE(payload({}).find(R"("title":"Dora","body":"Are you coming?")"), std::string::npos);
  EXPECT_EQ(payload({}).find("preview"), std::string::npos);
  const std::string sender = payload({.preview = PreviewLevel::sender});
  EXPECT_NE(sender.find(R"("title":"Dora","body":"Something new")"), std::string::npos);
  EXPECT_NE(sender.find(R"("preview":"sender")"), std::string::npos);
  const std::string none = payload({.preview = PreviewLevel::none});
  EXPECT_NE(none.find(R"("title":"App","body":"Something new")"), std::string::npos);
  EXPECT_EQ(none.find("Dora"), std::string::npos);
  EXPECT_EQ(none.find("coming"), std::string::npos);
}

TEST(ApnsPayload, OneThatStandsForSeveralSaysForHowMany) {
  const Notification n = sample_notification(kPushedAt);
  const OwnTexts own{"App", "Something new", "{count} messages"};
  const auto payload = [&](Style style) { return apns_payload(n, style, own); };
  for (const PreviewLevel preview : {PreviewLevel::full, PreviewLevel::sender}) {
    const std::string summary = payload({.preview = preview, .stands_for = 3});
    EXPECT_NE(summary.find(R"("title":"Dora","body":"3 messages")"), std::string::npos);
    EXPECT_EQ(summary.find("coming"), std::string::npos);
  }
  const std::string none = payload({.preview = PreviewLevel::none, .stands_for = 3});
  EXPECT_NE(none.find(R"("title":"App","body":"Something new")"), std::string::npos);
  EXPECT_NE(payload({.stands_for = 1}).find("Are you coming?"), std::string::npos);
}

TEST(ApnsPayload, ASilentOneNeitherSoundsNorLightsTheScreen) {
  const std::string payload = apns_payload(sample_notification(kPushedAt), {.is_silent = true}, {});
  EXPECT_NE(payload.find(R"("interruption-level":"passive")"), std::string::npos);
  EXPECT_EQ(payload.find("\"sound\""), std::string::npos);
}

TEST(ApnsPayload, WithShortTextsIsNotLongerThanWhatIsRefused) {
  Notification n = sample_notification(kPushedAt);
  n.title = "x";
  n.body = "y";
  n.presentation.sound = "default";
  const OwnTexts own{std::string(kOwnTextMax, 'h'), std::string(kOwnTextMax, 'h')};
  const Style largest{
      .sound = std::string(kSoundMax, 's'), .is_silent = true, .preview = PreviewLevel::sender};
  EXPECT_LE(apns_payload(n, largest, own).size(), apns_service().least_payload(n));
}

TEST(ApnsPayload, ItsTextsGiveWayToItsData) {
  Notification n = sample_notification(kPushedAt);
  n.title = "Dora";
  n.body = std::string(2048, '"');
  n.presentation.data = {{"a", std::string(1900, 'v')}};
  const std::string payload = apns_payload(n, {}, {});
  EXPECT_LE(payload.size(), kApnsPayloadMax);
  EXPECT_GE(payload.size(), kApnsPayloadMax - 8) << "no more is cut than is needed";
  EXPECT_NE(payload.find(R"("title":"Dora")"), std::string::npos);
  EXPECT_NE(payload.find(R"("…")"), std::string::npos) << "and it can be seen that it was cut";
  EXPECT_NE(payload.find(n.presentation.data["a"]), std::string::npos);
}

TEST(ApnsHeaders, FollowPriorityAndKind) {
  Notification n = sample_notification(kPushedAt);
  n.presentation.collapse_id = "chat-1";
  const ApnsHeaders alert = apns_headers(n, sample_device().id);
  EXPECT_EQ(alert.push_type, "alert");
  EXPECT_EQ(alert.priority, "10");
  EXPECT_EQ(alert.collapse_id, "chat-1");
  EXPECT_EQ(alert.expiration, std::to_string(1'790'000'000 + 4 * 3600));
  n.priority = Priority::low;
  EXPECT_EQ(apns_headers(n, sample_device().id).priority, "5");
  n.priority = Priority::high;
  n.presentation.background = true;
  // Apple answers priority 10 with a background push by an error.
  EXPECT_EQ(apns_headers(n, sample_device().id).priority, "5");
  EXPECT_EQ(apns_headers(n, sample_device().id).push_type, "background");
}

TEST(ApnsHeaders, TheIdIsOneForEachDeviceAndTheSameForEveryTry) {
  const Notification n = sample_notification(kPushedAt);
  const std::string id = apns_headers(n, sample_device(1).id).id;
  EXPECT_EQ(id, apns_headers(n, sample_device(1).id).id);
  EXPECT_NE(id, apns_headers(n, sample_device(2).id).id);
  EXPECT_TRUE(base::Uuid::parse(id));
}

TEST(ApnsPath, RefusesATokenThatIsNotHexadecimal) {
  EXPECT_EQ(apns_path(base::Secret("00ffAB")), "/3/device/00ffAB");
  EXPECT_EQ(apns_path(base::Secret("")), "");
  EXPECT_EQ(apns_path(base::Secret("00ff/../x")), "");
}

Outcome outcome_of(int status, std::string_view body, std::string_view retry_after = "",
                   base::WallTime registered_at = base::WallTime()) {
  Device device = sample_device();
  device.registered_at = registered_at;
  device.environment = Environment::production;
  return apns_outcome(parse_apns_answer(status, body, retry_after, kPushedAt), device);
}

TEST(ApnsOutcome, FollowsApplesTable) {
  using enum OutcomeKind;
  const struct {
    int status;
    const char* reason;
    OutcomeKind kind;
  } rows[] = {
      {200, "", accepted},
      {400, "BadDeviceToken", token_gone},
      {400, "DeviceTokenNotForTopic", token_gone},
      {400, "BadCollapseId", rejected},
      {400, "TopicDisallowed", bad_credentials},
      {400, "IdleTimeout", retry_later},
      {400, "NeverHeardOf", rejected},
      {403, "ExpiredProviderToken", bad_credentials},
      {403, "BadEnvironmentKeyInToken", bad_credentials},
      {404, "BadPath", rejected},
      {410, "Unregistered", token_gone},
      {410, "ExpiredToken", token_gone},
      {413, "PayloadTooLarge", rejected},
      {429, "TooManyRequests", retry_later},
      {500, "InternalServerError", retry_later},
      {503, "Shutdown", retry_later},
      {599, "", retry_later},
  };
  for (const auto& row : rows) {
    const std::string body =
        *row.reason == '\0' ? "" : std::string(R"({"reason":")") + row.reason + "\"}";
    EXPECT_EQ(outcome_of(row.status, body).kind, row.kind) << row.status << ' ' << row.reason;
  }
}

TEST(ApnsOutcome, ATokenIsNeverGivenUpForAnUnknownReason) {
  EXPECT_NE(outcome_of(400, R"({"reason":"SomethingNew"})").kind, OutcomeKind::token_gone);
  EXPECT_NE(outcome_of(403, "").kind, OutcomeKind::token_gone);
}

TEST(ApnsOutcome, A410AboutAnOlderRegistrationSparesTheNewOne) {
  const auto body = R"({"reason":"Unregistered","timestamp":1789999999000})";
  EXPECT_EQ(outcome_of(410, body, "", kPushedAt).kind, OutcomeKind::rejected);
  EXPECT_EQ(outcome_of(410, body, "", kPushedAt - std::chrono::hours(1)).kind,
            OutcomeKind::token_gone);
}

TEST(ApnsOutcome, ATokenThatMayBeOfTheOtherEnvironmentIsNotGivenUp) {
  Device device = sample_device();
  const auto kind = [&](int status, const char* reason) {
    return apns_outcome({.status = status, .reason = reason, .timestamp = {}, .retry_after = {}},
                        device)
        .kind;
  };
  EXPECT_EQ(kind(400, "BadDeviceToken"), OutcomeKind::rejected);
  EXPECT_EQ(kind(410, "Unregistered"), OutcomeKind::token_gone) << "it is known there";
  device.environment = Environment::sandbox;
  EXPECT_EQ(kind(400, "BadDeviceToken"), OutcomeKind::token_gone);
  EXPECT_EQ(kind(400, "DeviceTokenNotForTopic"), OutcomeKind::token_gone);
  device.app_id.clear();
  EXPECT_EQ(kind(400, "DeviceTokenNotForTopic"), OutcomeKind::rejected) << "the topic is ours";
}

TEST(ApnsOutcome, ReadsRetryAfterInSecondsAndIgnoresNonsense) {
  EXPECT_EQ(outcome_of(503, "", "7").retry_after, std::chrono::seconds(7));
  EXPECT_FALSE(outcome_of(503, "", "soon").retry_after);
  EXPECT_FALSE(outcome_of(503, "", "-1").retry_after);
  EXPECT_EQ(outcome_of(503, "", "999999999").retry_after, std::chrono::hours(24));
}

TEST(ApnsOutcome, AHostileBodyDoesNotReachTheRecord) {
  const Outcome outcome =
      outcome_of(400, R"({"reason":"a b\n<script>)" + std::string(200, 'x') + "\"}");
  EXPECT_LE(outcome.code.size(), 50u);
  EXPECT_EQ(outcome.code.find('<'), std::string::npos);
  EXPECT_EQ(outcome_of(400, "not json").code, "400");
  EXPECT_EQ(outcome_of(400, R"({"reason":[1]})").code, "400");
}

}  // namespace
}  // namespace notify::rules
