#include "edges/cli/explain.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "fakes/samples.hpp"

namespace notify::edges {
namespace {

using rules::AttemptStatus;
using rules::Status;
using namespace std::chrono_literals;

struct ExplainTest : testing::Test {
  base::WallTime created{1'790'000'000'000ms};
  stores::Story story;

  ExplainTest() { story.record.notification = fakes::sample_notification(created); }

  rules::Attempt& attempt(AttemptStatus status, std::chrono::milliseconds after) {
    rules::Attempt made;
    made.device = fakes::sample_device().id;
    made.status = status;
    made.retry_count = static_cast<std::int32_t>(story.attempts.size());
    made.attempted_at = created + after;
    made.provider = "apns";
    return story.attempts.emplace_back(made);
  }
  std::string text(std::chrono::milliseconds after = 1min) const {
    return explain(story, created + after);
  }
  void expect(const std::string& part, std::chrono::milliseconds after = 1min) const {
    EXPECT_NE(text(after).find(part), std::string::npos) << "no \"" << part << "\" in\n"
                                                         << text(after);
  }
};

TEST_F(ExplainTest, TellsWhoseItIsAndWhatWasAccepted) {
  expect("notification " + story.record.notification.id.to_string() + " for user " +
         fakes::sample_user().to_string());
  expect("accepted: type \"message\", priority medium; worth delivering until ");
}

TEST_F(ExplainTest, ContentIsNotShown) {
  story.record.notification.presentation.data = {{"secret-key", "secret-value"}};
  for (const char* content : {"Dora", "Are you coming?", "secret-key", "secret-value"}) {
    EXPECT_EQ(text().find(content), std::string::npos) << content;
  }
}

TEST_F(ExplainTest, WhatIsCancelledSaysWhen) {
  story.record.cancelled_at = created + 5s;
  story.record.status = Status::cancelled;
  expect("cancelled by a caller\n");
  story.record.status = Status::delivered;
  expect(
      "=> delivered: a provider accepted it for at least one device; it was cancelled for the "
      "others");
}

TEST_F(ExplainTest, WhatIsScheduledSaysForWhen) {
  story.record.notification.deliver_at = created + 1h;
  story.record.status = Status::deferred;
  story.due = stores::Due{created + 1h, stores::DueReason::scheduled, {}};
  expect("scheduled for " + base::to_rfc3339(created + 1h) + "; worth delivering until ");
  expect("waiting: the time it was scheduled for; due at ");
  expect("=> deferred: it waits for the time it was scheduled for");
}

TEST_F(ExplainTest, WhatWillBeOverBeforeTheQuietHoursEndSaysSo) {
  story.record.status = Status::deferred;
  story.due = stores::Due{story.record.notification.expires_at, stores::DueReason::deferred, {}};
  expect("=> deferred: it waits for its expiry, which comes before the end of the user's quiet");
  story.due->at -= 1s;
  expect("=> deferred: it waits for the end of the user's quiet hours");
}

TEST_F(ExplainTest, ADeviceThatNobodyWasAskedAboutIsNotCalledRefused) {
  rules::Attempt& left_out = attempt(AttemptStatus::failed, 150ms);
  left_out.provider.clear();
  left_out.error_code = "same token";
  left_out.error_message = "another device has it";
  expect(": nothing is sent to it (same token: another device has it)");
}

TEST_F(ExplainTest, WhatIsPartOfABurstSaysWhatItWaitsForAndWhatCameOfIt) {
  rules::RecordedDecision decision;
  decision.verdict = rules::Verdict::defer;
  decision.by = "burst";
  decision.until = created + 30s;
  decision.is_grouped = true;
  story.record.decisions.first = decision;
  story.record.status = Status::deferred;
  story.due = stores::Due{created + 30s, stores::DueReason::deferred, {}};
  expect("waiting: the end of a burst; due at ");
  expect("=> deferred: it waits for the end of a burst");
  story.due.reset();
  story.record.status = Status::superseded;
  expect("=> superseded: a newer one of its conversation stands for it");
}

TEST_F(ExplainTest, EveryStatusHasItsConclusion) {
  const std::pair<Status, const char*> conclusions[] = {
      {Status::pending, "=> pending: not delivered yet: it is in the queue"},
      {Status::deferred, "=> deferred: it waits for the end of the user's quiet hours"},
      {Status::sent, "=> sent: handed to a provider that never answered"},
      {Status::failed, "=> failed: the user had no device to deliver it to"},
      {Status::expired, "=> expired: its time was over before a provider accepted it"},
      {Status::suppressed, "=> suppressed: the user's settings do not want it"},
      {Status::cancelled, "=> cancelled: it was withdrawn by a caller"},
      {Status::superseded, "=> superseded: a newer one with the same collapse id replaced it"},
      {Status::delivered, "=> delivered: a provider accepted it for at least one device"},
      {Status::opened, "=> opened: it was opened on a device"},
  };
  for (const auto& [status, conclusion] : conclusions) {
    story.record.status = status;
    expect(conclusion);
  }
}

TEST_F(ExplainTest, APendingOneThatIsOverSaysSo) {
  expect("=> pending: not delivered: its time is over", 5h);
}

TEST_F(ExplainTest, ARetryIsToldWithItsReasonAndItsTime) {
  rules::Attempt& refused = attempt(AttemptStatus::retry, 150ms);
  refused.error_code = "503 ServiceUnavailable";
  refused.error_message = "Apple is busy";
  refused.next_retry_at = refused.attempted_at + 30s;
  story.due = stores::Due{*refused.next_retry_at, stores::DueReason::retry, ""};
  expect("+150 ms  try 1, device " + fakes::sample_device().id.to_string() +
         ", apns: refused for now (503 ServiceUnavailable: Apple is busy); again in 30 s, at ");
  expect("waiting: the next try; due at ", 1s);
  expect("=> pending: not delivered yet: it waits for its next try");
}

TEST_F(ExplainTest, AWaitThatIsOverdueSaysForHowLong) {
  story.due = stores::Due{created + 5s, stores::DueReason::devices_unavailable, "no route"};
  expect("waiting: auth-service did not say which devices the user has (no route); due at ");
  expect(", 55 s ago");
  EXPECT_EQ(text(1s).find(" ago"), std::string::npos);
}

TEST_F(ExplainTest, EveryOutcomeOfATryHasItsText) {
  const std::pair<AttemptStatus, const char*> texts[] = {
      {AttemptStatus::delivered, "the provider accepted it"},
      {AttemptStatus::token_gone, "the token is dead, and auth-service is told"},
      {AttemptStatus::failed, "refused for good"},
      {AttemptStatus::retry, "refused for now"},
      {AttemptStatus::unknown, "no answer, it may have been delivered"},
  };
  for (const auto& [status, part] : texts) {
    story.attempts.clear();
    attempt(status, 1s);
    expect(part);
  }
}

TEST_F(ExplainTest, EventsStandInTheOrderOfTheirTime) {
  attempt(AttemptStatus::delivered, 40s);
  attempt(AttemptStatus::unknown, 2s);
  story.record.status = Status::opened;
  story.record.opened_at = created + 3min;
  const std::string all = text(1h);
  EXPECT_LT(all.find("accepted:"), all.find("no answer"));
  EXPECT_LT(all.find("no answer"), all.find("the provider accepted it"));
  EXPECT_LT(all.find("the provider accepted it"), all.find("opened on a device"));
}

TEST_F(ExplainTest, AReplayStandsInTheTimelineWithItsJob) {
  attempt(AttemptStatus::failed, 1s);
  const base::ReplayJobId job(fakes::uuid("0b0b0b0b-0000-7000-8000-000000000001"));
  story.replays = {{created + 30s, job}};
  story.record.status = Status::failed;
  story.due = stores::Due{created + 40s, stores::DueReason::replay, ""};
  expect("+30 s  replayed by job " + job.to_string() +
         ": every device that did not accept it is tried anew");
  expect("waiting: the replay that an operator ordered; due at ", 35s);
  expect("=> failed: no device was left to try, but it was replayed and is tried anew");
  attempt(AttemptStatus::delivered, 41s);
  story.due.reset();
  story.record.status = Status::delivered;
  EXPECT_LT(text().find("refused for good"), text().find("replayed by job"));
  EXPECT_LT(text().find("replayed by job"), text().find("the provider accepted it"));
}

TEST_F(ExplainTest, ARetractionIsToldByBothOfItsNotifications) {
  const base::NotificationId other(fakes::uuid("01a0c450-6c00-7000-8000-000000000009"));
  story.record.retracted = rules::RetractionMark{created + 5s, other, "spiffe://whispr/chat"};
  expect("+5 s  retracted by a caller, spiffe://whispr/chat: notification " + other.to_string() +
         " tells the devices");
  story.record.retracted = rules::RetractionMark{created + 5s, std::nullopt, ""};
  expect("retracted by a caller: no device had it to remove");
  story.record.retracted.reset();
  story.record.notification.presentation.retracts = {{other, "", false}};
  expect(", retracts " + other.to_string());
  story.record.status = Status::superseded;
  expect("=> superseded: no device had what it retracts, or each shows a newer one in its place");
}

TEST_F(ExplainTest, OneDeviceDeliveredAndAnotherStillTriedIsSaid) {
  story.record.status = Status::delivered;
  attempt(AttemptStatus::delivered, 1s);
  story.due = stores::Due{created + 2min, stores::DueReason::retry, ""};
  expect("for at least one device; another device is still being tried");
}

}  // namespace
}  // namespace notify::edges
