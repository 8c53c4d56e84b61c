// What users want, obeyed whichever way a notification takes.

#include "base/text.hpp"
#include "fakes/fake_dead_letters.hpp"
#include "flows/preferences.hpp"
#include "rules/settings_codec.hpp"
#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::Status;

struct DecidingTest : FlowTest {
  static constexpr auto kJitter = 10s;
  Node node{outside,
            "a",
            {.limits = {.idle_poll = 1s},  // hours are waited for
             .recover = {.sweep_interval = 5s},
             .deciding = {.release_jitter = kJitter}}};
  base::ConversationId conversation{fakes::uuid("c0000000-0000-4000-8000-000000000001")};

  DecidingTest() {
    node.start();
    outside.time.run_for(2s);
  }

  rules::SendRequest request() {
    static const std::string kConversation = conversation.to_string();
    rules::SendRequest request = good_request();
    request.conversation_id = kConversation;
    return request;
  }
  Accepted accept(rules::SendRequest request) {
    return node.run(accept_one(node.accept, request)).value();
  }
  const stores::HistoryRecord& record(base::NotificationId id) {
    return outside.table.rows.at(id).record;
  }
  void mute(std::chrono::milliseconds how_long) {
    outside.settings.put(fakes::sample_user(), conversation, {.muted_until = now() + how_long});
    outside.time.run_for(1s);
  }
  /// From an hour ago on, for so long from now.
  void quiet_for(std::chrono::minutes how_long, const char* mode = "defer") {
    const auto clock = [](base::WallTime at) { return base::to_rfc3339(at).substr(11, 5); };
    rules::UserColumns columns;
    columns.quiet_hours = R"({"enabled":true,"timezone":"UTC","start":")" + clock(now() - 60min) +
                          R"(","end":")" + clock(now() + how_long) + R"(","mode":")" + mode +
                          R"("})";
    outside.settings.put(fakes::sample_user(), columns);
    outside.time.run_for(1s);
  }
  void change_back() {
    outside.settings.put(fakes::sample_user(), rules::UserColumns());
    outside.time.run_for(1s);
  }
};

TEST_F(DecidingTest, WhatIsNotWantedIsSuppressedOnRecordAndNeverSent) {
  mute(1h);
  const Accepted accepted = accept(request());
  EXPECT_EQ(accepted.status, Status::suppressed);
  outside.time.run_for(30s);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(record(accepted.id).status, Status::suppressed);
  const auto decision = record(accepted.id).decisions.first;
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->verdict, rules::Verdict::suppress);
  EXPECT_EQ(decision->by, "mute");
  EXPECT_EQ(decision->reasons.size(), 1u) << "what it found of nothing set is left out";
  EXPECT_EQ(rules::all_reasons(record(accepted.id).notification, *decision).size(), 6u);
}

struct UnknownUserTest : FlowTest {
  Node asking{outside, "asking", {.asks_user_service = true}};
  Node strict{outside, "strict", {.asks_user_service = true, .known_when_down = false}};

  UnknownUserTest() {
    asking.keep_alive();
    strict.keep_alive();
    outside.time.run_for(2s);
  }
  Accepted accept_at(Node& at) {
    return at.run(accept_one(at.accept, good_requests(++requests_made).back())).value();
  }
  const rules::RecordedDecision& decision(const Accepted& accepted) {
    return *outside.table.rows.at(accepted.id).record.decisions.first;
  }
  std::string why(const Accepted& accepted) {
    const auto& record = outside.table.rows.at(accepted.id).record;
    return rules::all_reasons(record.notification, *record.decisions.first).at(1).input;
  }
  std::size_t requests_made = 0;
};

TEST_F(UnknownUserTest, WhoDoesNotExistIsSentNothing) {
  outside.users.unknown = {fakes::sample_user()};
  const Accepted accepted = accept_at(asking);
  EXPECT_EQ(accepted.status, Status::suppressed);
  EXPECT_EQ(decision(accepted).by, "known_user");
  EXPECT_EQ(why(accepted), "user-service does not know the user");
  EXPECT_EQ(outside.users.asked.size(), 1u);
  accept_at(asking);
  EXPECT_EQ(outside.users.asked.size(), 1u) << "it is remembered";
}

TEST_F(UnknownUserTest, WhoExistsIsRecordedAsEver) {
  EXPECT_EQ(accept_at(asking).status, Status::pending);
  EXPECT_TRUE(decision(accept_at(asking)).by_defaults);
}

TEST_F(UnknownUserTest, WithoutAnAnswerThePolicyDecidesAndTheRecordSaysSo) {
  asking.user_directory.fault.fail(Errc::unavailable);
  strict.user_directory.fault.fail(Errc::unavailable);
  const Accepted lenient = accept_at(asking);
  EXPECT_EQ(lenient.status, Status::pending);
  EXPECT_EQ(why(lenient), "user-service did not answer, and user_service.when_down is deliver");
  const Accepted refused = accept_at(strict);
  EXPECT_EQ(refused.status, Status::suppressed);
  EXPECT_EQ(why(refused), "user-service did not answer, and user_service.when_down is suppress");
}

TEST_F(UnknownUserTest, WhoIsGoneBeforeTheDeliveryIsSentNothing) {
  const Accepted accepted = accept_at(strict);
  EXPECT_EQ(accepted.status, Status::pending);
  outside.users.unknown = {fakes::sample_user()};
  asking.deliver.start();
  outside.time.run_for(5s);
  EXPECT_TRUE(outside.apple.received.empty());
  const stores::HistoryRecord& stored = outside.table.rows.at(accepted.id).record;
  EXPECT_EQ(stored.status, Status::suppressed);
  EXPECT_EQ(stored.decisions.later->by, "known_user");
}

TEST_F(DecidingTest, InABatchEachIsDecidedForItself) {
  mute(1h);
  auto requests = good_requests(3);
  const std::string muted = conversation.to_string();
  requests[1].conversation_id = muted;
  const auto answers = node.run(node.accept.accept(requests, {}));
  EXPECT_EQ(answers[0]->status, Status::pending);
  EXPECT_EQ(answers[1]->status, Status::suppressed);
  EXPECT_EQ(answers[2]->status, Status::pending);
  outside.time.run_for(5s);
  EXPECT_EQ(outside.apple.received.size(), 2u);
}

TEST_F(DecidingTest, ByTheDefaultsLittleIsRecorded) {
  const Accepted accepted = accept(request());
  const auto decision = record(accepted.id).decisions.first;
  ASSERT_TRUE(decision);
  EXPECT_TRUE(decision->by_defaults);
  EXPECT_EQ(decision->verdict, rules::Verdict::deliver);
}

TEST_F(DecidingTest, WhatIsDeferredComesAfterTheQuietHoursAndLivesFromThenOn) {
  quiet_for(30min);
  const base::WallTime asked = now();
  const Accepted accepted = accept(request());
  EXPECT_EQ(accepted.status, Status::deferred);
  EXPECT_GE(accepted.expires_at, asked + 29min + 4h);
  EXPECT_TRUE(outside.books.queued.empty()) << "it waits in the ledger";
  outside.time.run_for(28min);
  EXPECT_TRUE(outside.apple.received.empty());
  outside.time.run_for(2min + kJitter + 5s);
  ASSERT_EQ(outside.apple.received.size(), 1u);
  EXPECT_EQ(record(accepted.id).status, Status::delivered);
  EXPECT_FALSE(outside.table.rows.at(accepted.id).due);
}

TEST_F(DecidingTest, ACallInQuietHoursIsOverBeforeTheMorning) {
  quiet_for(30min);
  rules::SendRequest call = request();
  call.type = "call";
  const base::WallTime asked = now();
  const Accepted accepted = accept(call);
  EXPECT_EQ(accepted.status, Status::deferred);
  EXPECT_EQ(accepted.expires_at, asked + 45s);
  outside.time.run_for(1min);
  EXPECT_EQ(record(accepted.id).status, Status::expired);
  const auto decision = record(accepted.id).decisions.first;
  ASSERT_TRUE(decision);
  EXPECT_NE(decision->reasons.back().input.find("it is not kept for later"), std::string::npos);
  outside.time.run_for(40min);
  EXPECT_TRUE(outside.apple.received.empty());
}

TEST_F(DecidingTest, ACallThatIsAskedAgainWhenTheQuietHoursHaveBegunIsNotKeptEither) {
  outside.apple.answer(phone, {{.kind = rules::OutcomeKind::retry_later,
                                .code = "503",
                                .retry_after = std::chrono::seconds(20)}});
  rules::SendRequest call = request();
  call.type = "call";
  const Accepted accepted = accept(call);
  outside.time.run_for(3s);
  ASSERT_EQ(outside.apple.received.size(), 1u);
  quiet_for(30min);
  outside.time.run_for(90s);
  EXPECT_EQ(record(accepted.id).status, Status::expired);
  outside.time.run_for(40min);
  EXPECT_EQ(outside.apple.received.size(), 1u);
}

TEST_F(DecidingTest, WhatExpiresBeforeTheQuietHoursEndIsOnRecordAsExpiredInTime) {
  quiet_for(30min);
  rules::SendRequest one = request();
  one.expires_at = (now() + 5min).time_since_epoch();
  const Accepted accepted = accept(one);
  EXPECT_EQ(accepted.status, Status::deferred);
  outside.time.run_for(5min + 15s);
  EXPECT_EQ(record(accepted.id).status, Status::expired);
}

TEST_F(DecidingTest, WhatWasDeferredKeepsItsOrder) {
  quiet_for(10min);
  std::vector<base::NotificationId> accepted;
  for (const rules::SendRequest& one : good_requests(8)) accepted.push_back(accept(one).id);
  outside.time.run_for(12min);
  std::vector<base::NotificationId> received;
  for (const auto& one : outside.apple.received) received.push_back(one.notification);
  EXPECT_EQ(received, accepted);
}

TEST_F(DecidingTest, OfACollapseGroupThatWasDeferredTheNewestComes) {
  quiet_for(10min);
  auto requests = good_requests(4);
  for (std::size_t i = 0; i < 3; ++i) requests[i].collapse_id = "scores";
  std::vector<base::NotificationId> ids;
  for (const rules::SendRequest& one : requests) ids.push_back(accept(one).id);
  outside.time.run_for(12min);
  EXPECT_EQ(record(ids[0]).status, Status::superseded);
  EXPECT_EQ(record(ids[1]).status, Status::superseded);
  EXPECT_EQ(record(ids[2]).status, Status::delivered);
  EXPECT_EQ(record(ids[3]).status, Status::delivered);
  EXPECT_EQ(outside.apple.received.size(), 2u);
}

TEST_F(DecidingTest, WhatWasDeferredIsDecidedAnewWhenItsTimeComes) {
  quiet_for(10min);
  const Accepted accepted = accept(request());
  ASSERT_EQ(accepted.status, Status::deferred);
  outside.time.run_for(5min);
  mute(1h);
  outside.time.run_for(7min);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(record(accepted.id).status, Status::suppressed);
  ASSERT_TRUE(record(accepted.id).decisions.later);
  EXPECT_EQ(record(accepted.id).decisions.later->by, "mute");
}

/// Sooner than the next sweep, and later than the one after it.
TEST_F(DecidingTest, WhatIsScheduledComesInItsTimeAndNotBefore) {
  for (const auto ahead : {3'000ms, 40'000ms}) {
    const std::size_t received = outside.apple.received.size();
    rules::SendRequest scheduled = request();
    const base::WallTime at = now() + ahead;
    scheduled.deliver_at = at.time_since_epoch();
    const Accepted accepted = accept(scheduled);
    EXPECT_EQ(accepted.status, Status::deferred);
    EXPECT_EQ(accepted.expires_at, at + 4h);
    outside.time.run_for(at - now() - 1ms);
    EXPECT_EQ(outside.apple.received.size(), received);
    outside.time.run_for(1100ms);
    EXPECT_EQ(outside.apple.received.size(), received + 1);
    EXPECT_EQ(record(accepted.id).status, Status::delivered);
    EXPECT_FALSE(outside.table.rows.at(accepted.id).due);
    EXPECT_EQ(record(accepted.id).decisions.first->by, "deliver_at");
    ASSERT_TRUE(record(accepted.id).decisions.later);
    EXPECT_EQ(record(accepted.id).decisions.later->verdict, rules::Verdict::deliver);
    EXPECT_GE(record(accepted.id).decisions.later->at, at);
  }
}

TEST_F(DecidingTest, WhatIsScheduledIsDecidedWhenItsTimeComes) {
  rules::SendRequest scheduled = request();
  scheduled.deliver_at = (now() + 10min).time_since_epoch();
  quiet_for(5min);
  const Accepted accepted = accept(scheduled);
  outside.time.run_for(5min);
  // The end of quiet hours is nothing to it.
  ASSERT_TRUE(node.run(
      node.ledger.release_deferred(fakes::sample_user(), now(), node.loop.timers.after(5s))));
  outside.time.run_for(4min);
  EXPECT_TRUE(outside.apple.received.empty());
  quiet_for(30min);
  const base::WallTime quiet_ends = now() + 29min;
  outside.time.run_for(2min);
  EXPECT_EQ(record(accepted.id).status, Status::deferred);
  EXPECT_EQ(outside.table.rows.at(accepted.id).due->reason, stores::DueReason::deferred);
  EXPECT_GE(record(accepted.id).notification.expires_at, quiet_ends + 4h);
  mute(1h);
  outside.time.run_for(31min);
  EXPECT_EQ(record(accepted.id).status, Status::suppressed);
  EXPECT_TRUE(outside.apple.received.empty());
}

TEST_F(DecidingTest, WithTheQueueAwayWhatIsScheduledComesWhenItIsBack) {
  node.queue.faults.leases.fail(Errc::unavailable);
  rules::SendRequest scheduled = request();
  scheduled.deliver_at = (now() + 3s).time_since_epoch();
  const Accepted accepted = accept(scheduled);
  outside.time.run_for(10s);
  EXPECT_TRUE(node.step_failed("promote"));
  EXPECT_TRUE(outside.apple.received.empty());
  node.queue.faults.leases.clear();
  outside.time.run_for(10s);
  EXPECT_EQ(record(accepted.id).status, Status::delivered);
}

TEST_F(DecidingTest, ANewerOneOfTheCollapseGroupSupersedesWhatIsScheduledWhenItsOwnTimeHasCome) {
  auto requests = good_requests(3);
  for (rules::SendRequest& one : requests) one.collapse_id = "meeting";
  requests[0].deliver_at = (now() + 5min).time_since_epoch();
  requests[1].deliver_at = (now() + 4min).time_since_epoch();
  requests[2].deliver_at = (now() + 6min).time_since_epoch();
  std::vector<base::NotificationId> ids;
  for (const rules::SendRequest& one : requests) ids.push_back(accept(one).id);
  outside.time.run_for(7min);
  EXPECT_EQ(record(ids[0]).status, Status::superseded) << "the newer one was there before it";
  EXPECT_EQ(record(ids[1]).status, Status::delivered) << "the newer one was still to come";
  EXPECT_EQ(record(ids[2]).status, Status::delivered);
}

TEST_F(DecidingTest, QuietHoursThatWereMadeLongerAreWaitedFor) {
  quiet_for(10min);
  const Accepted accepted = accept(request());
  outside.time.run_for(5min);
  quiet_for(30min);
  outside.time.run_for(15min);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(record(accepted.id).status, Status::deferred);
  outside.time.run_for(20min);
  EXPECT_EQ(record(accepted.id).status, Status::delivered);
}

/// It was accepted before the user asked for quiet, and is in the queue.
TEST_F(DecidingTest, WhatWaitsInTheQueueIsDecidedAnewBeforeItIsSent) {
  node.queue.faults.lease.fail(Errc::unavailable);
  rules::SendRequest one = request();
  const Accepted accepted = accept(one);
  ASSERT_EQ(accepted.status, Status::pending);
  mute(1h);
  node.queue.faults.lease.clear();
  outside.time.run_for(5s);
  EXPECT_TRUE(outside.apple.received.empty());
  EXPECT_EQ(record(accepted.id).status, Status::suppressed);
}

TEST_F(DecidingTest, ARetryThatFallsIntoQuietHoursIsDeferredToo) {
  outside.apple.answer(phone, {{.kind = rules::OutcomeKind::retry_later, .code = "503"}});
  const Accepted accepted = accept(request());
  outside.time.run_for(3s);
  EXPECT_EQ(outside.apple.received.size(), 1u);
  quiet_for(30min);
  outside.time.run_for(5min);
  EXPECT_EQ(outside.apple.received.size(), 1u) << "the retry is due after half a minute";
  EXPECT_EQ(record(accepted.id).status, Status::deferred);
  outside.time.run_for(30min);
  EXPECT_EQ(record(accepted.id).status, Status::delivered);
}

TEST_F(DecidingTest, QuietHoursMayBeSilentInstead) {
  quiet_for(30min, "silent");
  rules::SendRequest one = request();
  one.sound = "default";
  accept(one);
  outside.time.run_for(2s);
  ASSERT_EQ(outside.apple.received.size(), 1u);
  EXPECT_TRUE(outside.apple.received.front().style.is_silent);
  EXPECT_EQ(outside.apple.received.front().style.sound, "");
}

TEST_F(DecidingTest, ABackgroundPushComesInQuietHoursWithoutASound) {
  quiet_for(30min);
  rules::SendRequest one = request();
  one.title = one.body = "";
  one.background = true;
  EXPECT_EQ(accept(one).status, Status::pending);
  outside.time.run_for(2s);
  ASSERT_EQ(outside.apple.received.size(), 1u);
  EXPECT_TRUE(outside.apple.received.front().style.is_silent);
  EXPECT_FALSE(outside.apple.received.front().style.vibrates);
  EXPECT_EQ(outside.apple.received.front().style.sound, "");
}

TEST_F(DecidingTest, SoundAndPreviewReachTheProvider) {
  outside.settings.put(fakes::sample_user(),
                       {.notification_sound = "bell", .preferences = R"({"preview":"none"})"});
  outside.settings.put(fakes::sample_user(), conversation,
                       {.custom_settings = R"({"preview":"sender"})"});
  outside.time.run_for(1s);
  rules::SendRequest one = request();
  one.sound = "default";
  accept(one);
  one.conversation_id = "";
  accept(one);
  outside.time.run_for(2s);
  ASSERT_EQ(outside.apple.received.size(), 2u);
  EXPECT_EQ(outside.apple.received[0].style.sound, "bell");
  EXPECT_EQ(outside.apple.received[0].style.preview, rules::PreviewLevel::sender);
  EXPECT_EQ(outside.apple.received[1].style.preview, rules::PreviewLevel::none);
}

TEST_F(DecidingTest, CriticalComesThroughEverything) {
  mute(1h);
  quiet_for(30min, "drop");
  rules::SendRequest one = request();
  one.type = "security";
  EXPECT_EQ(accept(one).status, Status::pending);
  outside.time.run_for(2s);
  EXPECT_EQ(outside.apple.received.size(), 1u);
}

TEST_F(DecidingTest, WithoutSettingsNothingIsAcceptedOrSentOnAGuess) {
  node.queue.faults.lease.fail(Errc::unavailable);
  const Accepted accepted = accept(request());
  node.settings.fault.fail(Errc::unavailable);
  outside.time.run_for(15s);
  const auto refused = node.run(accept_one(node.accept, good_request()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, Errc::unavailable);
  node.queue.faults.lease.clear();
  outside.time.run_for(10s);
  EXPECT_TRUE(outside.apple.received.empty());
  node.settings.fault.clear();
  outside.time.run_for(10s);
  EXPECT_EQ(record(accepted.id).status, Status::delivered);
}

/// A worker that has not seen the change yet would defer it to the end of the old hours.
TEST_F(DecidingTest, WhoEndsTheQuietHoursGetsWhatWaitedWhenEveryWorkerKnows) {
  quiet_for(30min);
  const Accepted accepted = accept(request());
  fakes::FakeAudit audit(node.link);
  Preferences preferences({node.settings, node.ledger, audit, node.ids, node.clock, {}});
  const auto changed =
      node.run(preferences.change_user({fakes::sample_user(), "a test", base::Deadline::never()}, 0,
                                       [](rules::UserColumns& columns) {
                                         columns.quiet_hours = "{}";
                                         return rules::Violations();
                                       }));
  ASSERT_TRUE(changed);
  EXPECT_GE(outside.table.rows.at(accepted.id).due->at, now() + 2s);
  outside.time.run_for(15s);
  EXPECT_EQ(record(accepted.id).status, Status::delivered);
  ASSERT_EQ(audit.entries.size(), 1u);
  EXPECT_EQ(audit.entries.front().action, "settings.change");
}

/// Decision D-12, though the queue has nothing to do with settings.
TEST_F(DecidingTest, AMuteOnOneNodeIsObeyedByTheOtherAlsoWhenTheQueueWasRestarted) {
  Node other(outside, "b", {});
  other.start();
  outside.time.run_for(2s);
  ASSERT_TRUE(other.run(other.deciding.read(fakes::sample_user())));
  outside.books.restart_with({});
  outside.settings.put(fakes::sample_user(), conversation, {.muted_until = now() + 1h});
  outside.time.run_for(900ms);
  EXPECT_EQ(other.run(accept_one(other.accept, request()))->status, Status::suppressed);
}

}  // namespace
}  // namespace notify::flows
