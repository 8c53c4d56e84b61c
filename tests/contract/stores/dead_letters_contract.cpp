#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using base::NotificationId;
using rules::AttemptStatus;
using rules::Status;
using stores::DeadLetter;
using stores::DeadLetterFilter;
using stores::DeadLetterPage;
using stores::ReplayBatch;
using stores::ReplayCounts;
using Ids = std::vector<NotificationId>;

const base::ReplayJobId kJob(fakes::uuid("0b0b0b0b-0000-7000-8000-000000000001"));
const base::ReplayJobId kOtherJob(fakes::uuid("0b0b0b0b-0000-7000-8000-000000000002"));

class DeadLettersContract : public LedgerContract {
 protected:
  struct Try {
    std::string code;
    std::uint8_t device = 1;
    int retry_count = 0;
    std::string provider = "apns";
  };

  static rules::Attempt attempt(const rules::Notification& n, const Try& made,
                                AttemptStatus status) {
    rules::Attempt attempt;
    attempt.device = fakes::sample_device(made.device).id;
    attempt.id = rules::attempt_id(n.id, attempt.device, made.retry_count);
    attempt.status = status;
    attempt.error_code = made.code;
    attempt.retry_count = made.retry_count;
    attempt.attempted_at = n.created_at() + 100ms * (made.retry_count + 1) + 1ms * made.device;
    attempt.provider = made.provider;
    return attempt;
  }
  /// One that failed with these tries, the latest last.
  rules::Notification dead(rules::Notification n, const std::vector<Try>& tries) {
    append(n);
    finish(n, Status::failed, tries, AttemptStatus::failed);
    return n;
  }
  void finish(const rules::Notification& n, Status status, const std::vector<Try>& tries,
              AttemptStatus of_tries) {
    stores::DeliveryRecord made;
    made.notification = n.id;
    made.at = n.created_at() + 500ms;
    made.status = status;
    made.was_due = true;
    for (const Try& one : tries) made.attempts.push_back(attempt(n, one, of_tries));
    record(std::move(made));
  }

  DeadLetterFilter everything() { return {.from = started - 24h, .until = started + 24h}; }
  DeadLetterPage find(const DeadLetterFilter& filter, stores::DeadLetterStretch stretch = {}) {
    auto page = world->run(world->dead_letters().find(filter, stretch, world->soon()));
    EXPECT_TRUE(page) << (page ? "" : page.error().detail);
    return page ? std::move(*page) : DeadLetterPage{};
  }
  Ids found(const DeadLetterFilter& filter) {
    Ids ids;
    for (const DeadLetter& letter : find(filter).letters) ids.push_back(letter.id);
    return ids;
  }
  ReplayBatch batch_of(const std::vector<rules::Notification>& some, base::ReplayJobId job = kJob) {
    ReplayBatch batch{.items = {}, .replayed_at = started, .job = job, .live_until = {}};
    for (const auto& n : some) batch.items.push_back({n.id, started + 1s});
    return batch;
  }
  ReplayCounts replay(ReplayBatch batch) {
    const auto counts = world->run(world->dead_letters().replay(std::move(batch), world->soon()));
    EXPECT_TRUE(counts) << (counts ? "" : counts.error().detail);
    return counts ? *counts : ReplayCounts{};
  }
};

TEST_P(DeadLettersContract, OnlyWhatFailedIsADeadLetterAndItTellsWhy) {
  const auto failed = dead(sample(1), {{"503 ServiceUnavailable"}, {"400 BadTopic", 1, 1}});
  append(sample(2));
  append(sample(3));
  finish(sample(3), Status::delivered, {{""}}, AttemptStatus::delivered);
  const DeadLetterPage page = find(everything());
  ASSERT_EQ(page.letters.size(), 1u);
  EXPECT_EQ(page.looked_at, 3);
  EXPECT_FALSE(page.next);
  DeadLetter expected;
  expected.id = failed.id;
  expected.user = failed.user;
  expected.type = failed.type;
  expected.expires_at = failed.expires_at;
  expected.provider = "apns";
  expected.error_code = "400 BadTopic";
  expected.attempted_at = failed.created_at() + 201ms;
  EXPECT_EQ(page.letters[0], expected);
}

TEST_P(DeadLettersContract, WithoutADeviceNobodyWasAsked) {
  const auto failed = dead(sample(1), {});
  const DeadLetterPage page = find(everything());
  ASSERT_EQ(page.letters.size(), 1u);
  EXPECT_EQ(page.letters[0].error_code, stores::kNoDevice);
  EXPECT_EQ(page.letters[0].provider, "");
  EXPECT_FALSE(page.letters[0].attempted_at);
  dead(sample(2), {{"410 Unregistered"}});
  DeadLetterFilter filter = everything();
  filter.error_code = stores::kNoDevice;
  EXPECT_EQ(found(filter), (Ids{failed.id}));
}

TEST_P(DeadLettersContract, TheLastWordOfADeviceCountsNotWhatWasSaidBefore) {
  const auto mended = dead(sample(1), {{"503 ServiceUnavailable"}, {"400 BadTopic", 1, 1}});
  const auto two = dead(sample(2), {{"503 ServiceUnavailable", 1}, {"400 BadTopic", 2}});
  const auto web = dead(sample(3), {{"no provider", 1, 0, ""}});
  DeadLetterFilter filter = everything();
  filter.error_code = "503 ServiceUnavailable";
  EXPECT_EQ(found(filter), (Ids{two.id}));
  EXPECT_EQ(find(filter).letters.at(0).error_code, "503 ServiceUnavailable");
  filter.error_code = "400 BadTopic";
  EXPECT_EQ(found(filter), (Ids{mended.id, two.id}));
  filter = everything();
  filter.provider = "apns";
  EXPECT_EQ(found(filter), (Ids{mended.id, two.id}));
  filter.provider = "fcm";
  EXPECT_TRUE(found(filter).empty());
  filter = everything();
  filter.error_code = "no provider";
  EXPECT_EQ(found(filter), (Ids{web.id}));
}

TEST_P(DeadLettersContract, TheFilterGoesByTimeUserTypeAndId) {
  const auto early = dead(sample(1, 30s), {{"x"}});
  rules::Notification call = sample(2, 20s);
  call.type = "call";
  call = dead(call, {{"x"}});
  rules::Notification strange = sample(3, 10s);
  strange.user = base::UserId(fakes::uuid("b0b00000-0000-4000-8000-000000000002"));
  strange = dead(strange, {{"x"}});

  EXPECT_EQ(found(everything()), (Ids{early.id, call.id, strange.id}));
  EXPECT_EQ(found({.from = started - 20s, .until = started - 10s}), (Ids{call.id}));
  DeadLetterFilter filter = everything();
  filter.type = "call";
  EXPECT_EQ(found(filter), (Ids{call.id}));
  filter = everything();
  filter.user = strange.user;
  EXPECT_EQ(found(filter), (Ids{strange.id}));
  EXPECT_EQ(find(filter).looked_at, 1);
  filter = everything();
  filter.notification = early.id;
  EXPECT_EQ(found(filter), (Ids{early.id}));
}

TEST_P(DeadLettersContract, PagesEndByWhatIsFoundAndByWhatIsLookedAt) {
  Ids all;
  for (std::uint8_t i = 1; i <= 9; ++i) {
    const auto n = sample(i, 1s * (12 - i));
    if (i % 3 != 0) {
      append(n);
      continue;
    }
    dead(n, {{"x"}});
    all.push_back(n.id);
  }
  for (const stores::DeadLetterStretch& bounds :
       {stores::DeadLetterStretch{{}, 2, 10}, {{}, 100, 1}, {{}, 3, 1}, {{}, 9, 3}, {{}, 4, 2}}) {
    Ids read;
    stores::DeadLetterStretch stretch = bounds;
    int pages = 0;
    for (; pages < 20; ++pages) {
      const DeadLetterPage page = find(everything(), stretch);
      EXPECT_LE(page.looked_at, bounds.looked_at_max);
      EXPECT_LE(page.letters.size(), static_cast<std::size_t>(bounds.limit));
      for (const DeadLetter& letter : page.letters) read.push_back(letter.id);
      if (!page.next) break;
      stretch.after = page.next;
    }
    EXPECT_LT(pages, 20);
    EXPECT_EQ(read, all) << bounds.looked_at_max << ", " << bounds.limit;
  }
}

TEST_P(DeadLettersContract, AReplayIsDueAndOnRecordAndLeavesTheStatus) {
  const auto n = dead(sample(1), {{"400 BadTopic"}});
  EXPECT_EQ(replay(batch_of({n})), (ReplayCounts{.replayed = 1}));
  const stores::Story told = story(n.id);
  EXPECT_EQ(told.record.status, Status::failed);
  EXPECT_EQ(told.record.notification, n);
  ASSERT_TRUE(told.due);
  EXPECT_EQ(told.due->at, started + 1s);
  EXPECT_EQ(told.due->reason, stores::DueReason::replay);
  ASSERT_EQ(told.replays.size(), 1u);
  EXPECT_EQ(told.replays[0].at, started);
  EXPECT_EQ(told.replays[0].job, kJob);
  EXPECT_EQ(due(), (Ids{n.id}));
  const DeadLetter listed = find(everything()).letters.at(0);
  EXPECT_TRUE(listed.waits);
  EXPECT_EQ(listed.replayed_at, started);
  const auto progress = world->run(world->ledger().progress({n.id}, world->soon()));
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->at(n.id).replayed_at, started);
  EXPECT_EQ(progress->at(n.id).attempts.at(0).provider, "apns");
}

TEST_P(DeadLettersContract, TheSameBatchAgainChangesNothingAlsoAfterItsWorkIsDone) {
  const auto n = dead(sample(1), {{"x"}});
  replay(batch_of({n}));
  EXPECT_EQ(replay(batch_of({n})), (ReplayCounts{.replayed = 1}));
  finish(n, Status::failed, {{"x", 1, 1}}, AttemptStatus::failed);
  EXPECT_EQ(replay(batch_of({n})), (ReplayCounts{.replayed = 1}));
  EXPECT_FALSE(story(n.id).due);
  EXPECT_EQ(story(n.id).replays.size(), 1u);
}

TEST_P(DeadLettersContract, AnotherJobLeavesAloneWhatWaitsAndReplaysItWhenItFailedAgain) {
  const auto n = dead(sample(1), {{"x"}});
  replay(batch_of({n}));
  ReplayBatch other = batch_of({n}, kOtherJob);
  other.replayed_at = started + 5s;
  EXPECT_EQ(replay(other), (ReplayCounts{.waiting = 1}));
  EXPECT_EQ(story(n.id).replays.size(), 1u);
  finish(n, Status::failed, {{"x", 1, 1}}, AttemptStatus::failed);
  EXPECT_EQ(replay(other), (ReplayCounts{.replayed = 1}));
  const auto progress = world->run(world->ledger().progress({n.id}, world->soon()));
  EXPECT_EQ(progress.value().at(n.id).replayed_at, started + 5s);
  ASSERT_EQ(story(n.id).replays.size(), 2u);
  EXPECT_EQ(story(n.id).replays[1].job, kOtherJob);
}

TEST_P(DeadLettersContract, TwoJobsAtOnceReplayEachOnce) {
  std::vector<rules::Notification> all;
  for (std::uint8_t i = 1; i <= 40; ++i) all.push_back(dead(sample(i), {{"x"}}));
  std::vector<async::Task<base::Expected<ReplayCounts>>> tasks;
  for (const auto job : {kJob, kOtherJob}) {
    tasks.push_back(world->dead_letters().replay(batch_of(all, job), world->soon()));
  }
  std::int64_t replayed = 0;
  for (const auto& counts : world->run_all(std::move(tasks))) {
    ASSERT_TRUE(counts) << counts.error().detail;
    EXPECT_EQ(counts->replayed + counts->waiting, 40);
    replayed += counts->replayed;
  }
  EXPECT_EQ(replayed, 40);
  EXPECT_EQ(due().size(), 40u);
}

TEST_P(DeadLettersContract, WhatIsNotFailedAnyMoreIsLeftAlone) {
  const auto delivered = dead(sample(1), {{"x"}});
  finish(delivered, Status::delivered, {{"", 1, 1}}, AttemptStatus::delivered);
  EXPECT_EQ(replay(batch_of({delivered, sample(9)})), (ReplayCounts{.changed = 2}));
  EXPECT_FALSE(story(delivered.id).due);
}

TEST_P(DeadLettersContract, WhatWouldExpireFirstIsLeftAloneUnlessItsLifeIsExtended) {
  rules::Notification over = sample(1);
  over.expires_at = started + 1s;
  rules::Notification alive = sample(2);
  alive.expires_at = started + 2s;
  rules::Notification long_lived = sample(3);
  long_lived.expires_at = started + 8h;
  for (auto* n : {&over, &alive, &long_lived}) *n = dead(*n, {{"x"}});
  EXPECT_EQ(replay(batch_of({over, alive})), (ReplayCounts{.replayed = 1, .expired = 1}));
  EXPECT_TRUE(story(over.id).replays.empty());

  ReplayBatch extended = batch_of({over, alive, long_lived}, kOtherJob);
  extended.live_until = started + 2h;
  EXPECT_EQ(replay(extended), (ReplayCounts{.replayed = 2, .waiting = 1}));
  EXPECT_EQ(story(over.id).record.notification.expires_at, started + 2h);
  EXPECT_EQ(story(alive.id).record.notification.expires_at, started + 2s);
  EXPECT_EQ(story(long_lived.id).record.notification.expires_at, started + 8h);
}

INSTANTIATE_TEST_SUITE_P(World, DeadLettersContract, testing::ValuesIn(ledger_worlds()));

}  // namespace
}  // namespace notify::contract
