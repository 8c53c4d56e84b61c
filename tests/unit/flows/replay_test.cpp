// Replays on whole nodes: what failed is sent again, once, in its own time, and on record.

#include "flows/replay.hpp"

#include "base/text.hpp"
#include "fakes/fake_dead_letters.hpp"
#include "unit/flows/world.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using rules::OutcomeKind;
using rules::Status;

struct ReplayTest : FlowTest {
  std::unique_ptr<Node> node;
  std::unique_ptr<fakes::FakeDeadLetters> letters;
  std::unique_ptr<fakes::FakeAudit> audit;
  std::unique_ptr<Replay> replay;
  std::vector<ReplayProgress> told;
  std::vector<ReplayState> ended;
  std::size_t tells_max = 1000;  ///< then the listener has enough

  void SetUp() override {
    NodeOptions options{.retry = {.delays = {1s, 1s}}};
    options.deciding.expiry.message = 20min;
    node = std::make_unique<Node>(outside, "a", options);
    node->start();
    letters = std::make_unique<fakes::FakeDeadLetters>(outside.table, node->link);
    audit = std::make_unique<fakes::FakeAudit>(node->link);
    replay = make_replay({});
    outside.time.run_for(100ms);
  }
  void TearDown() override {
    replay.reset();
    node.reset();
  }

  std::unique_ptr<Replay> make_replay(ReplayLimits limits) {
    return std::make_unique<Replay>(Replay::Parts{
        *letters,
        *audit,
        node->ids,
        node->loop.timers,
        limits,
        {.ended = [this](const auto&, const auto& progress) { ended.push_back(progress.state); },
         .step_failed = [this](std::string_view step,
                               const auto&) { node->failed_steps.emplace_back(step); }}});
  }
  async::Task<bool> listen(const ReplayProgress& progress) {
    told.push_back(progress);
    co_return told.size() < tells_max;
  }
  ReplayRequest everything() {
    ReplayRequest request;
    request.filter = {.from = now() - 24h, .until = now() + 24h};
    request.actor = "dora";
    request.reason = "the topic was wrong";
    request.origin = "ipv4:10.0.0.7";
    return request;
  }
  Answer<ReplayProgress> run(ReplayRequest request) {
    return node->run(replay->run(
        std::move(request), [this](const ReplayProgress& progress) { return listen(progress); }));
  }
  /// From an hour ago on, for so long from now.
  void quiet_for(std::chrono::minutes how_long) {
    const auto clock = [](base::WallTime at) { return base::to_rfc3339(at).substr(11, 5); };
    rules::UserColumns columns;
    columns.quiet_hours = R"({"enabled":true,"timezone":"UTC","mode":"defer","start":")" +
                          clock(now() - 1h) + R"(","end":")" + clock(now() + how_long) + R"("})";
    outside.settings.put(fakes::sample_user(), columns);
    outside.time.run_for(1s);
  }
  /// As many as that, refused for good by Apple.
  std::vector<rules::Notification> dead(std::uint8_t count) {
    std::vector<rules::Notification> all;
    for (std::uint8_t i = 1; i <= count; ++i) {
      outside.apple.answer(phone, {outcome(OutcomeKind::rejected, "400 BadTopic")});
      all.push_back(queued(i));
    }
    EXPECT_TRUE(run_until_idle(1min));
    for (const auto& n : all) EXPECT_EQ(status(n), Status::failed);
    return all;
  }
};

TEST_F(ReplayTest, WhatFailedIsDeliveredByAReplay) {
  const auto n = dead(1).at(0);
  const auto answer = run(everything());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->state, ReplayState::done);
  EXPECT_EQ(answer->matched, 1);
  EXPECT_EQ(answer->counts, (stores::ReplayCounts{.replayed = 1}));
  EXPECT_EQ(status(n), Status::failed);
  ASSERT_TRUE(outside.time.run_until([&] { return status(n) == Status::delivered; }, 30s));
  ASSERT_TRUE(run_until_idle(1s));
  EXPECT_FALSE(row(n).due);
  ASSERT_EQ(row(n).attempts.size(), 2u);
  EXPECT_EQ(row(n).attempts[1].retry_count, 1);
  EXPECT_EQ(outside.apple.count(n.id), 2u);
}

TEST_F(ReplayTest, WhatFailsAgainHasRetriesOfItsOwnAndIsADeadLetterAgain) {
  const auto n = dead(1).at(0);
  outside.apple.answer(phone, std::vector(3, outcome(OutcomeKind::retry_later, "503 Busy")));
  ASSERT_TRUE(run(everything()));
  ASSERT_TRUE(outside.time.run_until([&] { return row(n).attempts.size() == 4; }, 1min));
  outside.time.run_for(20s);
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_FALSE(row(n).due);
  EXPECT_FALSE(in_books(n));
  EXPECT_EQ(row(n).attempts.back().retry_count, 3);

  ASSERT_TRUE(run(everything()));
  ASSERT_TRUE(outside.time.run_until([&] { return status(n) == Status::delivered; }, 30s));
  EXPECT_EQ(row(n).attempts.size(), 5u);
}

TEST_F(ReplayTest, ADeviceThatAcceptedIsNotDisturbed) {
  outside.devices.of_user[fakes::sample_user()] = {phone, tablet};
  // The tablet accepts; the notification is no dead letter, and no replay finds it.
  outside.apple.answer(phone, {outcome(OutcomeKind::rejected, "400 BadTopic")});
  const auto n = queued();
  ASSERT_TRUE(run_until_idle(1min));
  EXPECT_EQ(status(n), Status::delivered);
  const auto answer = run(everything());
  EXPECT_EQ(answer->matched, 0);
  outside.time.run_for(30s);
  EXPECT_EQ(outside.apple.count(n.id), 2u);
}

TEST_F(ReplayTest, ADryRunCountsAndWritesNothing) {
  const auto all = dead(3);
  outside.table.rows.at(all[0].id).record.notification.expires_at = now();
  ReplayRequest request = everything();
  request.dry_run = true;
  const auto answer = run(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->matched, 3);
  EXPECT_EQ(answer->counts, (stores::ReplayCounts{.replayed = 2, .expired = 1}));
  request.extend = 2h;
  EXPECT_EQ(run(request)->counts, (stores::ReplayCounts{.replayed = 3}));
  for (const auto& n : all) EXPECT_FALSE(row(n).due || !row(n).replays.empty());
  EXPECT_TRUE(audit->entries.empty());
}

TEST_F(ReplayTest, WhatHasExpiredIsSentOnlyIfItsLifeIsExtended) {
  const auto n = dead(1).at(0);
  outside.table.rows.at(n.id).record.notification.expires_at = now() + 5s;
  EXPECT_EQ(run(everything())->counts, (stores::ReplayCounts{.expired = 1}));
  ReplayRequest request = everything();
  request.extend = 2h;
  EXPECT_EQ(run(request)->counts, (stores::ReplayCounts{.replayed = 1}));
  ASSERT_TRUE(outside.time.run_until([&] { return status(n) == Status::delivered; }, 30s));
}

TEST_F(ReplayTest, AReplayThatMeetsQuietHoursIsSentWhenTheyEnd) {
  const auto n = dead(1).at(0);
  quiet_for(40min);
  // It lives for as long as its type is worth, which is less than the quiet hours last.
  outside.table.rows.at(n.id).record.notification.expires_at = n.created_at() + 20min;
  ASSERT_TRUE(run(everything()));
  outside.time.run_for(1min);
  ASSERT_TRUE(row(n).due);
  EXPECT_EQ(row(n).due->reason, stores::DueReason::deferred);
  EXPECT_EQ(row(n).record.decisions.last()->by, "quiet_hours") << "explain can tell";
  EXPECT_GT(row(n).record.notification.expires_at, now() + 40min);
  EXPECT_EQ(status(n), Status::failed);
  outside.time.run_for(1h);
  EXPECT_EQ(status(n), Status::delivered);
}

TEST_F(ReplayTest, AReplayThatExpiresInQuietHoursLeavesATrace) {
  const auto n = dead(1).at(0);
  quiet_for(40min);
  ReplayRequest request = everything();
  request.extend = 15min;
  outside.table.rows.at(n.id).record.notification.expires_at = now() + 1min;
  ASSERT_TRUE(run(request));
  outside.time.run_for(1h);
  EXPECT_FALSE(row(n).due);
  EXPECT_EQ(status(n), Status::failed);
  EXPECT_EQ(row(n).record.decisions.last()->by, "lifetime") << "explain can tell";
}

TEST_F(ReplayTest, TwoReplaysAtOnceSendEachOnce) {
  const auto all = dead(30);
  std::optional<Answer<ReplayProgress>> first;
  std::optional<Answer<ReplayProgress>> second;
  const auto listener = [this](const ReplayProgress& progress) { return listen(progress); };
  node->background.spawn(async::store_result(replay->run(everything(), listener), first));
  node->background.spawn(async::store_result(replay->run(everything(), listener), second));
  ASSERT_TRUE(outside.time.run_until([&] { return first && second; }, 1min));
  EXPECT_EQ((*first)->counts.replayed + (*second)->counts.replayed, 30);
  ASSERT_TRUE(outside.time.run_until(
      [&] {
        return std::all_of(all.begin(), all.end(),
                           [&](const auto& n) { return status(n) == Status::delivered; });
      },
      1min));
  for (const auto& n : all) EXPECT_EQ(outside.apple.count(n.id), 2u);
}

TEST_F(ReplayTest, ItKeepsToItsRateAndTellsEverySecond) {
  const auto all = dead(50);
  const auto started = now();
  ReplayRequest request = everything();
  request.rate = 5;
  const auto answer = run(request);
  EXPECT_EQ(answer->counts.replayed, 50);
  EXPECT_GE(now() - started, 9s);
  EXPECT_LE(now() - started, 11s);
  EXPECT_GE(told.size(), 9u);
  EXPECT_EQ(told.front().job, answer->job);
  EXPECT_EQ(told.front().matched, 0);
  ASSERT_TRUE(outside.time.run_until([&] { return outside.apple.received.size() == 100; }, 1min));
  // However recovery brings them: the queue gives them out at the rate.
  for (std::size_t i = 55; i < 100; ++i) {
    EXPECT_GE(outside.apple.received[i].at - outside.apple.received[i - 5].at, 900ms) << i;
  }
}

TEST_F(ReplayTest, WhenNobodyListensAnyMoreItStopsAndTheNextOneDoesTheRest) {
  dead(10);
  ReplayRequest request = everything();
  request.rate = 2;
  tells_max = 3;
  const auto stopped = run(request);
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->state, ReplayState::stopped);
  EXPECT_GT(stopped->counts.replayed, 0);
  EXPECT_LT(stopped->counts.replayed, 10);
  tells_max = 1000;
  const auto rest = run(everything());
  const auto delivered_meanwhile = stopped->counts.replayed - rest->counts.waiting;
  EXPECT_EQ(rest->counts.replayed + stopped->counts.replayed, 10);
  EXPECT_GE(delivered_meanwhile, 0);
  EXPECT_EQ(ended, (std::vector{ReplayState::stopped, ReplayState::done}));
}

TEST_F(ReplayTest, StoppingEndsAJobSoonAlsoOneWhoseStepsFail) {
  dead(10);
  ReplayRequest request = everything();
  request.rate = 2;
  const auto listener = [this](const ReplayProgress& progress) { return listen(progress); };
  std::optional<Answer<ReplayProgress>> paced;
  node->background.spawn(async::store_result(replay->run(request, listener), paced));
  outside.time.run_for(1500ms);
  letters->faults.find.fail(Errc::unavailable);
  std::optional<Answer<ReplayProgress>> failing;
  node->background.spawn(async::store_result(replay->run(request, listener), failing));
  outside.time.run_for(100ms);
  replay->stop();
  outside.time.run_for(1100ms);
  ASSERT_TRUE(paced && failing);
  EXPECT_EQ((*paced)->state, ReplayState::stopped);
  EXPECT_FALSE(*failing);
}

TEST_F(ReplayTest, TheAuditTellsWhoWhatWhyAndWhatCameOfIt) {
  dead(2);
  ReplayRequest request = everything();
  request.filter.provider = "apns";
  request.filter.error_code = "400 \"BadTopic\"";
  request.extend = 2h;
  const auto answer = run(request);
  ASSERT_EQ(audit->entries.size(), 2u);
  const auto& [start, end] = std::tie(audit->entries[0], audit->entries[1]);
  EXPECT_EQ(start.action, "replay.started");
  EXPECT_EQ(end.action, "replay.ended");
  for (const auto& entry : audit->entries) {
    EXPECT_EQ(entry.actor, "dora");
    EXPECT_EQ(entry.subject_type, "replay");
    EXPECT_EQ(entry.subject_id, answer->job.to_string());
  }
  for (const char* part :
       {R"("provider":"apns")", R"("error_code":"400 \"BadTopic\"")", R"("rate":200)",
        R"("extend_s":7200)", R"("reason":"the topic was wrong")", R"("origin":"ipv4:10.0.0.7")"}) {
    EXPECT_NE(start.detail.find(part), std::string::npos) << part << " in " << start.detail;
  }
  EXPECT_EQ(start.detail.find("user_id"), std::string::npos);
  EXPECT_NE(end.detail.find(R"({"state":"done","looked_at":2,"matched":0,"replayed":0)"),
            std::string::npos)
      << end.detail;
}

TEST_F(ReplayTest, WithoutTheAuditNothingIsReplayed) {
  const auto n = dead(1).at(0);
  audit->fault.fail(Errc::unavailable);
  const auto answer = run(everything());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::unavailable);
  EXPECT_FALSE(row(n).due);
  EXPECT_TRUE(told.empty());
}

TEST_F(ReplayTest, AStepThatFailsForTheTimeBeingIsRepeated) {
  dead(3);
  letters->faults.find.fail(Errc::unavailable, 2);
  letters->faults.replay.lose_answers(2);
  const auto answer = run(everything());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->counts, (stores::ReplayCounts{.replayed = 3}));
  EXPECT_EQ(node->failed_steps, (std::vector<std::string>{"find", "find", "replay", "replay"}));
}

TEST_F(ReplayTest, AStepThatGoesOnFailingEndsTheJobAndTheAuditSaysSo) {
  dead(1);
  letters->faults.replay.fail(Errc::unavailable);
  const auto answer = run(everything());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code, Errc::unavailable);
  EXPECT_TRUE(answer.error().retry_after);
  ASSERT_EQ(audit->entries.size(), 2u);
  EXPECT_NE(audit->entries[1].detail.find(R"("state":"failed")"), std::string::npos);
  EXPECT_EQ(ended, (std::vector{ReplayState::failed}));
}

TEST_F(ReplayTest, WhatFailsWhileItRunsIsLeftToTheNextOne) {
  dead(1);
  const auto started = now();
  const auto answer = run(everything());
  EXPECT_EQ(answer->reached, started);  // not what was asked for, which lies ahead
  EXPECT_LT(started, now());
}

}  // namespace
}  // namespace notify::flows
