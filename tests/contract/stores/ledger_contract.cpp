#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "contract/stores/worlds.hpp"

namespace notify::contract {
namespace {

using base::Errc;
using base::NotificationId;
using rules::Status;
using stores::DeliveryRecord;
using stores::Due;
using stores::DueReason;
using Ids = std::vector<NotificationId>;

rules::Attempt attempt(const rules::Notification& n, rules::AttemptStatus status, int tries = 0,
                       std::uint8_t device = 1) {
  rules::Attempt made;
  made.device = fakes::sample_device(device).id;
  made.id = rules::attempt_id(n.id, made.device, tries);
  made.status = status;
  made.retry_count = tries;
  made.attempted_at = n.created_at() + std::chrono::seconds(tries + 1);
  return made;
}

DeliveryRecord with_status(const rules::Notification& n, std::optional<Status> status) {
  DeliveryRecord record;
  record.notification = n.id;
  record.at = n.created_at() + 5s;
  record.status = status;
  return record;
}

DeliveryRecord with_due(const rules::Notification& n, base::WallTime at, std::string detail = {}) {
  DeliveryRecord record = with_status(n, std::nullopt);
  record.due = Due{at, DueReason::retry, std::move(detail)};
  return record;
}

rules::Notification rich(rules::Notification n) {
  n.conversation = base::ConversationId(fakes::uuid("c0c0c0c0-0000-4000-8000-000000000001"));
  n.message = base::MessageId(fakes::uuid("3e55a6e0-0000-4000-8000-000000000001"));
  n.title = "Ünïcödé \U0001F514";
  n.body = "a line\nand \"another\" \\ one";
  n.presentation.data = {{"z", "1"}, {"a", "2"}, {"empty", ""}};
  n.presentation.collapse_id = "thread-7";
  n.presentation.badge = 3;
  n.presentation.sound = "ping.caf";
  n.presentation.category = "REPLY";
  n.presentation.mutable_content = true;
  n.labels = {{"campaign", "spring"}};
  n.deliver_at = n.created_at() + 2h;
  n.priority = rules::Priority::high;
  return n;
}

TEST_P(LedgerContract, WhatWasAppendedIsFoundAsItWas) {
  const rules::Notification n = rich(sample());
  append(n);
  const stores::Story found = story(n.id);
  EXPECT_EQ(found.record.notification, n);
  EXPECT_EQ(found.record.status, Status::pending);
  EXPECT_FALSE(found.record.sent_at || found.record.delivered_at || found.record.expired_at);
  EXPECT_TRUE(found.attempts.empty());
  EXPECT_FALSE(found.due);
}

TEST_P(LedgerContract, AppendingTwiceIsHarmless) {
  const rules::Notification n = sample();
  append(n);
  record(with_status(n, Status::delivered));
  append(n);
  EXPECT_EQ(story(n.id).record.status, Status::delivered);
  const auto list = world->run(world->history().list(n.user, std::nullopt, 10, world->soon()));
  EXPECT_EQ(list.value().size(), 1u);
}

TEST_P(LedgerContract, TheSameNotificationTwiceInOneBatchIsHarmless) {
  std::vector<async::Task<base::Expected<void>>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(fakes::append_one(world->ledger(), sample()));
  for (const auto& done : world->run_all(std::move(tasks))) EXPECT_TRUE(done);
  EXPECT_EQ(pending(), (Ids{sample().id}));
}

stores::Submission keyed(rules::Notification n, std::uint8_t key, std::uint8_t request,
                         bool is_explicit = true) {
  stores::Submission submission{std::move(n), {}};
  submission.idempotency.caller = "spiffe://whispr/messaging";
  submission.idempotency.key.fill(key);
  submission.idempotency.request.fill(request);
  submission.idempotency.is_explicit = is_explicit;
  return submission;
}

TEST_P(LedgerContract, ARequestThatComesAgainIsToldOfTheFirst) {
  const auto first = append_all({keyed(sample(1), 1, 1)});
  ASSERT_TRUE(first.at(0));
  EXPECT_FALSE(first[0]->is_repeat);
  record(with_status(sample(1), Status::delivered));
  const auto again = append_all({keyed(sample(2), 1, 1)});
  ASSERT_TRUE(again.at(0));
  EXPECT_TRUE(again[0]->is_repeat);
  EXPECT_EQ(again[0]->id, sample(1).id);
  EXPECT_EQ(again[0]->status, Status::delivered);
  EXPECT_EQ(again[0]->expires_at, sample(1).expires_at);
  EXPECT_TRUE(pending().empty());
}

TEST_P(LedgerContract, AnExplicitKeyOfAnotherRequestIsAClashADerivedOneNever) {
  ASSERT_TRUE(append_all({keyed(sample(1), 1, 1)}).at(0));
  const auto clash = append_all({keyed(sample(2), 1, 2)});
  ASSERT_FALSE(clash.at(0));
  EXPECT_EQ(clash[0].error().code, Errc::already_exists);
  EXPECT_EQ(pending(), (Ids{sample(1).id}));
}

TEST_P(LedgerContract, OneBatchHoldsNewOnesRepeatsClashesAndTwins) {
  ASSERT_TRUE(append_all({keyed(sample(1), 1, 1)}).at(0));
  const auto results =
      append_all({keyed(sample(2), 2, 2), keyed(sample(3), 1, 1), keyed(sample(4), 1, 9),
                  keyed(sample(5), 2, 2), keyed(sample(6), 6, 6, false)});
  ASSERT_EQ(results.size(), 5u);
  ASSERT_TRUE(results[0] && results[1] && results[3] && results[4]);
  EXPECT_EQ(results[0]->id, sample(2).id);
  EXPECT_EQ(results[1]->id, sample(1).id);
  EXPECT_EQ(results[2].error().code, Errc::already_exists);
  EXPECT_EQ(results[3]->id, sample(2).id);
  EXPECT_TRUE(results[3]->is_repeat);
  EXPECT_EQ(results[4]->id, sample(6).id);
  EXPECT_EQ(pending(), (Ids{sample(1).id, sample(2).id, sample(6).id}));
}

TEST_P(LedgerContract, RepeatsAreFoundWithoutWritingAnything) {
  ASSERT_TRUE(append_all({keyed(sample(1), 1, 1)}).at(0));
  const auto results = world->run(world->ledger().find_repeats(
      {keyed(sample(2), 1, 1), keyed(sample(3), 1, 9), keyed(sample(4), 4, 4)}));
  ASSERT_EQ(results.size(), 3u);
  ASSERT_TRUE(results[0]);
  EXPECT_EQ(results[0]->id, sample(1).id);
  EXPECT_EQ(results[0]->expires_at, sample(1).expires_at);
  EXPECT_EQ(results[0]->status, Status::pending);
  EXPECT_TRUE(results[0]->is_repeat);
  EXPECT_EQ(results[1].error().code, Errc::already_exists);
  EXPECT_EQ(results[2].error().code, Errc::not_found);
  EXPECT_EQ(pending(), (Ids{sample(1).id}));
  ASSERT_TRUE(append_all({keyed(sample(4), 4, 4)}).at(0));
}

TEST_P(LedgerContract, TheSameKeyAtTheSameTimeIsAcceptedOnce) {
  std::vector<async::Task<std::vector<base::Expected<stores::Appended>>>> tasks;
  for (std::uint8_t i = 1; i <= 40; ++i) {
    tasks.push_back(world->ledger().append({keyed(sample(i), 1, 1)}, std::to_string(i % 5)));
  }
  std::set<NotificationId> ids;
  std::size_t fresh = 0;
  for (const auto& results : world->run_all(std::move(tasks))) {
    ASSERT_TRUE(results.at(0));
    ids.insert(results[0]->id);
    fresh += !results[0]->is_repeat;
  }
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(fresh, 1u);
  EXPECT_EQ(pending().size(), 1u);
}

TEST_P(LedgerContract, AKeyLivesADayAlsoAcrossMidnight) {
  const auto midnight = std::chrono::floor<std::chrono::days>(started);
  const auto append_at = [&](std::chrono::milliseconds offset, std::uint8_t n) {
    const rules::Notification made = fakes::sample_notification(midnight + offset, n);
    return append_all({keyed(made, 1, 1)}, made.created_at()).at(0);
  };
  const auto first = append_at(-1ms, 1);
  ASSERT_TRUE(first);
  const auto after = append_at(1ms, 2);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->id, first->id);
  const auto next_day = append_at(24h, 3);
  ASSERT_TRUE(next_day);
  EXPECT_NE(next_day->id, first->id);
  EXPECT_FALSE(next_day->is_repeat);
}

TEST_P(LedgerContract, AKeyOfJustAfterMidnightIsFreeAgainADayAndAMinuteLater) {
  const auto midnight = std::chrono::floor<std::chrono::days>(started);
  const auto first = fakes::sample_notification(midnight - 24h + 1min, 1);
  const auto later = fakes::sample_notification(midnight + 2min, 2);
  ASSERT_TRUE(append_all({keyed(first, 1, 1)}, first.created_at()).at(0));
  const auto accepted = append_all({keyed(later, 1, 1)}, later.created_at());
  ASSERT_TRUE(accepted.at(0)) << accepted[0].error().detail;
  EXPECT_EQ(accepted[0]->id, later.id);
  EXPECT_FALSE(accepted[0]->is_repeat);
}

TEST_P(LedgerContract, ANotificationIsWrittenSoonAfterItWasMadeOrNever) {
  const base::WallTime now = world->now();
  const auto age = [&](std::uint8_t n, std::chrono::milliseconds by) {
    return keyed(fakes::sample_notification(now - by, n), n, n);
  };
  const auto margin = 1500ms;
  const auto results = append_all(
      {age(1, stores::kAppendWithin + margin), age(2, stores::kAppendWithin - margin), age(3, 0ms),
       age(4, margin - stores::kAppendWithin), age(5, -margin - stores::kAppendWithin)});
  ASSERT_EQ(results.size(), 5u);
  for (const std::size_t refused : {0u, 4u}) {
    ASSERT_FALSE(results[refused]) << refused;
    EXPECT_EQ(results[refused].error().code, Errc::unavailable);
    EXPECT_EQ(results[refused].error().detail, stores::not_within().detail);
  }
  EXPECT_TRUE(results[1] && results[2] && results[3]);
  EXPECT_EQ(pending(), (Ids{age(2, stores::kAppendWithin - margin).notification.id,
                            age(3, 0ms).notification.id,
                            age(4, margin - stores::kAppendWithin).notification.id}));
  // Its key is free: the caller's next try is accepted.
  const auto again = append_all({keyed(fakes::sample_notification(world->now(), 9), 1, 1)});
  ASSERT_TRUE(again.at(0));
  EXPECT_FALSE(again[0]->is_repeat);
}

TEST_P(LedgerContract, ARepeatIsToldOfTheFirstHoweverLateItComes) {
  const rules::Notification late = sample(2, 20s);
  const rules::Notification first = sample(1, 18s);
  ASSERT_TRUE(append_all({keyed(first, 1, 1)}, first.created_at()).at(0));
  const auto results =
      append_all({keyed(late, 1, 1), keyed(sample(3, 20s), 1, 9), keyed(first, 1, 1)});
  ASSERT_EQ(results.size(), 3u);
  ASSERT_TRUE(results[0]) << results[0].error().detail;
  EXPECT_TRUE(results[0]->is_repeat);
  EXPECT_EQ(results[0]->id, first.id);
  ASSERT_FALSE(results[1]);
  EXPECT_EQ(results[1].error().code, Errc::already_exists);
  ASSERT_TRUE(results[2]) << "its own earlier run";
  EXPECT_FALSE(results[2]->is_repeat);
  EXPECT_EQ(pending(), (Ids{first.id}));
}

TEST_P(LedgerContract, ConcurrentAppendsShareStatements) {
  std::vector<async::Task<base::Expected<void>>> tasks;
  const std::size_t before = world->statements();
  for (std::uint8_t i = 1; i <= 100; ++i)
    tasks.push_back(fakes::append_one(world->ledger(), sample(i)));
  for (const auto& done : world->run_all(std::move(tasks))) EXPECT_TRUE(done);
  EXPECT_LE(world->statements() - before, 4u);
  EXPECT_EQ(pending().size(), 100u);
}

TEST_P(LedgerContract, ConcurrentRecordsShareStatements) {
  std::vector<async::Task<base::Expected<void>>> tasks;
  for (std::uint8_t i = 1; i <= 50; ++i) append(sample(i));
  const std::size_t before = world->statements();
  for (std::uint8_t i = 1; i <= 50; ++i) {
    tasks.push_back(world->ledger().record(with_status(sample(i), Status::delivered)));
  }
  for (const auto& done : world->run_all(std::move(tasks))) EXPECT_TRUE(done);
  EXPECT_LE(world->statements() - before, 16u);
  EXPECT_TRUE(pending().empty());
}

TEST_P(LedgerContract, ARecordWritesAttemptsStatusAndDueTogether) {
  const rules::Notification n = sample();
  append(n);
  DeliveryRecord both = with_status(n, Status::delivered);
  rules::Attempt refused = attempt(n, rules::AttemptStatus::retry, 0, 2);
  refused.error_code = "503 ServiceUnavailable";
  refused.error_message = "Apple is busy";
  refused.next_retry_at = n.created_at() + 30s;
  both.attempts = {attempt(n, rules::AttemptStatus::delivered), refused};
  both.due = Due{n.created_at() + 30s, DueReason::retry, "Apple is busy"};
  record(both);

  const stores::Story found = story(n.id);
  EXPECT_EQ(found.record.status, Status::delivered);
  EXPECT_EQ(found.record.sent_at, both.at);
  EXPECT_EQ(found.record.delivered_at, both.at);
  ASSERT_EQ(found.attempts.size(), 2u);
  const auto retried = std::find_if(found.attempts.begin(), found.attempts.end(),
                                    [](const auto& a) { return a.next_retry_at.has_value(); });
  ASSERT_NE(retried, found.attempts.end());
  EXPECT_EQ(retried->id, refused.id);
  EXPECT_EQ(retried->device, refused.device);
  EXPECT_EQ(retried->error_code, refused.error_code);
  EXPECT_EQ(retried->error_message, refused.error_message);
  EXPECT_EQ(retried->attempted_at, refused.attempted_at);
  EXPECT_EQ(retried->next_retry_at, refused.next_retry_at);
  ASSERT_TRUE(found.due);
  EXPECT_EQ(found.due->at, both.due->at);
  EXPECT_EQ(found.due->reason, DueReason::retry);
  EXPECT_EQ(found.due->detail, "Apple is busy");
}

TEST_P(LedgerContract, TheSameRecordTwiceIsHarmless) {
  const rules::Notification n = sample();
  append(n);
  DeliveryRecord once = with_status(n, Status::delivered);
  once.attempts = {attempt(n, rules::AttemptStatus::delivered)};
  record(once);
  DeliveryRecord again = once;
  again.at += 1h;
  record(again);
  const stores::Story found = story(n.id);
  EXPECT_EQ(found.attempts.size(), 1u);
  EXPECT_EQ(found.record.delivered_at, once.at);
}

TEST_P(LedgerContract, OfTwoOutcomesOfOneTryTheAcceptanceStands) {
  for (std::uint8_t i = 1; i <= 2; ++i) {
    const rules::Notification n = sample(i);
    append(n);
    DeliveryRecord accepted = with_status(n, Status::delivered);
    accepted.attempts = {attempt(n, rules::AttemptStatus::delivered)};
    DeliveryRecord refused = with_status(n, Status::failed);
    refused.attempts = {attempt(n, rules::AttemptStatus::failed)};
    record(i == 1 ? accepted : refused);
    record(i == 1 ? refused : accepted);
    const stores::Story found = story(n.id);
    ASSERT_EQ(found.attempts.size(), 1u);
    EXPECT_EQ(found.attempts[0].status, rules::AttemptStatus::delivered);
    EXPECT_EQ(found.record.status, Status::delivered);
  }
}

TEST_P(LedgerContract, OfTwoOutcomesOfOneTryTheLastWordStands) {
  for (std::uint8_t i = 1; i <= 2; ++i) {
    const rules::Notification n = sample(i);
    append(n);
    DeliveryRecord later;
    later.notification = n.id;
    later.at = started;
    later.attempts = {attempt(n, rules::AttemptStatus::retry)};
    DeliveryRecord gone = later;
    gone.attempts = {attempt(n, rules::AttemptStatus::token_gone)};
    record(i == 1 ? later : gone);
    record(i == 1 ? gone : later);
    ASSERT_EQ(story(n.id).attempts.size(), 1u);
    EXPECT_EQ(story(n.id).attempts[0].status, rules::AttemptStatus::token_gone);
  }
}

TEST_P(LedgerContract, AStatusOnlyMovesUpARank) {
  const rules::Notification n = sample();
  append(n);
  record(with_status(n, Status::delivered));
  for (const Status lower : {Status::failed, Status::expired, Status::sent, Status::pending}) {
    record(with_status(n, lower));
    EXPECT_EQ(story(n.id).record.status, Status::delivered) << rules::name(lower);
  }
  EXPECT_FALSE(story(n.id).record.expired_at);
}

TEST_P(LedgerContract, ALateAcceptanceOverridesAFailure) {
  const rules::Notification n = sample();
  append(n);
  record(with_status(n, Status::failed));
  record(with_status(n, Status::expired));
  EXPECT_EQ(story(n.id).record.status, Status::failed);
  record(with_status(n, Status::delivered));
  EXPECT_EQ(story(n.id).record.status, Status::delivered);
}

TEST_P(LedgerContract, AnExpiryHasItsInstant) {
  const rules::Notification n = sample();
  append(n);
  record(with_status(n, Status::expired));
  EXPECT_EQ(story(n.id).record.expired_at, n.created_at() + 5s);
  EXPECT_FALSE(story(n.id).record.sent_at);
}

TEST_P(LedgerContract, ADueRowIsReplacedAndThenDeleted) {
  const rules::Notification n = sample();
  append(n);
  record(with_due(n, started + 30s));
  DeliveryRecord later = with_due(n, started + 60s, "auth-service is away");
  later.due->reason = DueReason::devices_unavailable;
  record(later);
  const stores::Story waiting = story(n.id);
  ASSERT_TRUE(waiting.due);
  EXPECT_EQ(waiting.due->at, started + 60s);
  EXPECT_EQ(waiting.due->reason, DueReason::devices_unavailable);
  EXPECT_EQ(due(), (Ids{n.id}));

  DeliveryRecord done = with_status(n, Status::delivered);
  done.was_due = true;
  record(done);
  EXPECT_FALSE(story(n.id).due);
  EXPECT_TRUE(due().empty());
}

TEST_P(LedgerContract, ProgressTellsStatusAndAttemptsAndLeavesOutWhatIsUnknown) {
  const rules::Notification known = sample(1);
  const rules::Notification untouched = sample(2);
  append(known);
  append(untouched);
  DeliveryRecord tried = with_status(known, std::nullopt);
  tried.attempts = {attempt(known, rules::AttemptStatus::retry, 0),
                    attempt(known, rules::AttemptStatus::unknown, 1)};
  record(tried);
  const auto progress =
      world->run(world->ledger().progress({known.id, sample(3).id, untouched.id}, world->soon()));
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->size(), 2u);
  ASSERT_EQ(progress->at(known.id).attempts.size(), 2u);
  EXPECT_EQ(progress->at(known.id).attempts[0].retry_count, 0);
  EXPECT_EQ(progress->at(known.id).attempts[1].status, rules::AttemptStatus::unknown);
  EXPECT_EQ(progress->at(known.id).status, Status::pending);
  EXPECT_TRUE(progress->at(untouched.id).attempts.empty());
}

TEST_P(LedgerContract, TheNewestOfAGroupStandsForItsOlderOnes) {
  const base::WallTime until = started + 30s;
  const auto deferred = [&](std::uint8_t n, std::string_view conversation, base::WallTime at,
                            Status status = Status::deferred) {
    rules::Notification grouped = sample(n);
    grouped.conversation = base::ConversationId(fakes::uuid(conversation));
    stores::Submission submission = fakes::submission(grouped);
    submission.status = status;
    if (status == Status::deferred) submission.due = Due{at, DueReason::deferred, {}};
    submission.decision = R"({"verdict":"defer","by":"burst","until":")" + base::to_rfc3339(at) +
                          R"(","group":)" + std::to_string(at.time_since_epoch().count()) +
                          R"(,"reasons":[]})";
    EXPECT_TRUE(append_all({submission}).front());
    return grouped.id;
  };
  const std::string_view kOne = "c0000000-0000-4000-8000-000000000001";
  const std::string_view kOther = "c0000000-0000-4000-8000-000000000002";
  const NotificationId first = deferred(1, kOne, until);
  const NotificationId second = deferred(2, kOne, until + 1s);  // by a clock that is ahead
  const NotificationId unwanted = deferred(3, kOne, until, Status::suppressed);
  const NotificationId newest = deferred(4, kOne, until);
  const NotificationId elsewhere = deferred(5, kOther, until);
  const NotificationId later = deferred(6, kOne, until + 30s);
  const rules::Notification plain = sample(7);
  append(plain);
  DeliveryRecord over = with_status(sample(1), Status::superseded);
  over.was_due = true;
  record(over);

  const auto progress = world->run(world->ledger().progress(
      {first, second, unwanted, newest, elsewhere, later, plain.id}, world->soon()));
  ASSERT_TRUE(progress) << progress.error().detail;
  const auto stands = [&](NotificationId id) {
    const rules::Progress& known = progress->at(id);
    return std::pair(known.group_size, known.is_superseded);
  };
  EXPECT_EQ(stands(first), std::pair(std::size_t{1}, true));
  EXPECT_EQ(stands(second), std::pair(std::size_t{2}, true));
  EXPECT_EQ(stands(newest), std::pair(std::size_t{3}, false)) << "what is unwanted is not counted";
  EXPECT_EQ(stands(elsewhere), std::pair(std::size_t{1}, false));
  EXPECT_EQ(stands(later), std::pair(std::size_t{1}, false));
  EXPECT_EQ(stands(plain.id), std::pair(std::size_t{0}, false));
}

TEST_P(LedgerContract, WhatWaitsIsCancelledOnceAndForAll) {
  const auto cancel = [&](const rules::Notification& n, base::WallTime at) {
    const char* why = R"({"verdict":"suppress","by":"lifetime","reasons":[]})";
    return world->run(world->ledger().cancel(n.id, at, why, world->soon())).value();
  };
  const rules::Notification pending = rich(sample(1));
  append(pending);
  EXPECT_TRUE(cancel(pending, started));
  EXPECT_TRUE(cancel(pending, started + 5s)) << "it is, also when asked again";
  stores::Story told = story(pending.id);
  EXPECT_EQ(told.record.status, Status::cancelled);
  EXPECT_EQ(told.record.cancelled_at, started);
  EXPECT_EQ(told.record.decisions.later->by, "lifetime");
  EXPECT_EQ(told.record.notification, pending);
  EXPECT_TRUE(this->pending().empty());

  const rules::Notification partly = sample(2);
  append(partly);
  DeliveryRecord retrying = with_due(partly, started + 1min);
  retrying.status = Status::delivered;
  record(retrying);
  EXPECT_TRUE(cancel(partly, started));
  EXPECT_EQ(story(partly.id).record.status, Status::delivered);
  EXPECT_TRUE(due().empty());
  // Who did not know makes it due again.
  record(with_due(partly, started + 2min));
  EXPECT_TRUE(cancel(partly, started));
  EXPECT_TRUE(due().empty());
  const auto progress =
      world->run(world->ledger().progress({pending.id, partly.id}, world->soon())).value();
  EXPECT_TRUE(progress.at(pending.id).is_cancelled);
  EXPECT_TRUE(progress.at(partly.id).is_cancelled);
}

TEST_P(LedgerContract, WhatIsOverOrUnknownIsNotCancelled) {
  const rules::Notification n = sample(1);
  append(n);
  record(with_status(n, Status::delivered));
  for (const rules::Notification& one : {n, sample(2)}) {
    EXPECT_FALSE(world->run(world->ledger().cancel(one.id, started, "{}", world->soon())).value());
  }
  EXPECT_FALSE(story(n.id).record.cancelled_at);
  const auto progress = world->run(world->ledger().progress({n.id}, world->soon())).value();
  EXPECT_FALSE(progress.at(n.id).is_cancelled);
}

TEST_P(LedgerContract, AListIsNewestFirstAndGoesOnBehindItsCursor) {
  Ids newest_first;
  for (std::uint8_t i = 1; i <= 5; ++i) {
    const rules::Notification n = sample(i, std::chrono::seconds(i));
    append(n);
    newest_first.push_back(n.id);
  }
  rules::Notification strange = sample(77);
  strange.user = base::UserId(fakes::uuid("b0b00000-0000-4000-8000-000000000002"));
  append(strange);

  Ids listed;
  std::optional<NotificationId> before;
  while (listed.size() < 20) {
    const auto page =
        world->run(world->history().list(fakes::sample_user(), before, 2, world->soon()));
    ASSERT_TRUE(page);
    if (page->empty()) break;
    ASSERT_LE(page->size(), 2u);
    for (const auto& record : *page) listed.push_back(record.notification.id);
    before = listed.back();
  }
  EXPECT_EQ(listed, newest_first);
}

TEST_P(LedgerContract, AListTellsNotificationsOfOneMillisecondApart) {
  for (std::uint8_t i = 1; i <= 3; ++i) append(sample(i));
  const auto page =
      world->run(world->history().list(fakes::sample_user(), sample(2).id, 10, world->soon()));
  ASSERT_EQ(page.value().size(), 1u);
  EXPECT_EQ(page.value()[0].notification.id, sample(1).id);
}

TEST_P(LedgerContract, PendingLeavesOutWhatIsDueAndWhatIsFinished) {
  for (std::uint8_t i = 1; i <= 3; ++i) append(sample(i));
  record(with_due(sample(1), started + 30s));
  record(with_status(sample(2), Status::failed));
  EXPECT_EQ(pending(), (Ids{sample(3).id}));
}

TEST_P(LedgerContract, PendingIsReadPageByPageInTheOrderOfCreation) {
  Ids oldest_first;
  for (std::uint8_t i = 7; i >= 1; --i) {
    const rules::Notification n = sample(i, std::chrono::seconds(i / 2));  // some share an instant
    append(n);
    oldest_first.push_back(n.id);
  }
  std::sort(oldest_first.begin(), oldest_first.end());
  EXPECT_EQ(pending(2), oldest_first);
  EXPECT_EQ(pending(100), oldest_first);
}

TEST_P(LedgerContract, PendingStopsBeforeItsEnd) {
  append(sample(1, 10s));
  append(sample(2, 5s));
  const auto items =
      world->run(world->backlog().pending({{started - 1h, {}}, started - 5s, 10}, world->soon()));
  ASSERT_EQ(items.value().items.size(), 1u);
  EXPECT_EQ(items.value().items[0].notification, sample(1, 10s));
  EXPECT_EQ(items.value().items[0].due_at, started - 10s);
}

TEST_P(LedgerContract, ARowThatCannotBeReadIsSkippedAndCounted) {
  Ids readable;
  for (std::uint8_t i = 1; i <= 8; ++i) {
    const rules::Notification n = sample(i, std::chrono::milliseconds(2000 - i));
    append(n);
    const bool is_due = i > 4;
    if (is_due) record(with_due(n, started + std::chrono::seconds(i)));
    if (i % 4 == 1 || i % 4 == 0) {
      world->spoil(n.id);
    } else {
      readable.push_back(n.id);
    }
  }
  world->lose_history(readable.at(2));
  for (const std::int32_t page_size : {1, 2, 3, 100}) {
    unreadable = 0;
    EXPECT_EQ(pending(page_size), (Ids{readable[0], readable[1]})) << page_size;
    EXPECT_EQ(unreadable, 2u) << page_size;
    EXPECT_EQ(due(page_size), (Ids{readable[3]})) << page_size;
    EXPECT_EQ(unreadable, 5u) << page_size;
  }
}

TEST_P(LedgerContract, OfTheseThePendingOnesAreTold) {
  for (std::uint8_t i = 1; i <= 5; ++i) append(sample(i));
  record(with_due(sample(2), started + 30s));
  record(with_status(sample(3), Status::delivered));
  world->spoil(sample(4).id);
  const auto ask = [&](Ids ids) {
    return world->run(world->backlog().pending_of(std::move(ids), world->soon()));
  };
  const auto told = ask({sample(9).id, sample(5).id, sample(4).id, sample(3).id, sample(2).id,
                         sample(1).id, sample(1).id});
  ASSERT_TRUE(told) << told.error().detail;
  ASSERT_EQ(told->size(), 2u);
  EXPECT_EQ(told->at(0).notification, sample(1));
  EXPECT_EQ(told->at(0).due_at, sample(1).created_at());
  EXPECT_EQ(told->at(1).notification.id, sample(5).id);
  EXPECT_TRUE(ask({}).value().empty());
}

TEST_P(LedgerContract, TheHorizonIsByTheClockOfTheDatabase) {
  const auto ask = [&] { return world->run(world->backlog().horizon(world->soon())).value(); };
  const stores::LedgerHorizon here = ask();
  EXPECT_LE(std::chrono::abs(here.now - world->now()), 1s);
  EXPECT_LE(here.settled, here.now - stores::kAppendWithin);
  EXPECT_GE(here.settled, here.now - stores::kAppendWithin - 5s);
  world->set_clock_ahead(-10min);
  EXPECT_LE(std::chrono::abs(ask().now - (world->now() - 10min)), 1s);
  EXPECT_LE(ask().settled, ask().now - stores::kAppendWithin);
}

TEST_P(LedgerContract, TheHorizonStaysBehindACommitThatIsStillToCome) {
  const auto horizon = [&] { return world->run(world->backlog().horizon(world->soon())).value(); };
  const auto behind = [&] {
    const stores::LedgerHorizon now = horizon();
    return now.now - now.settled;
  };
  const auto usual = behind();
  world->set_commit_takes(8s);
  const stores::Submission late = keyed(fakes::sample_notification(world->now(), 1), 1, 1);
  std::optional<std::vector<base::Expected<stores::Appended>>> appended;
  async::TaskGroup group(world->timers().executor(),
                         [](std::string_view what) { ADD_FAILURE() << "escaped: " << what; });
  group.spawn(async::store_result(world->ledger().append({late}, {}), appended));
  world->pass(2s);
  EXPECT_FALSE(appended);
  EXPECT_GE(behind(), usual + 1s);
  EXPECT_LT(horizon().settled, late.notification.created_at());
  EXPECT_TRUE(pending().empty());
  // Its commit is still to come, so nobody may say that nothing was stored.
  world->drive([&appended] { return appended.has_value(); });
  ASSERT_FALSE(appended->at(0));
  EXPECT_EQ(appended->at(0).error().code, Errc::timed_out) << appended->at(0).error().detail;
  EXPECT_LT(horizon().settled, late.notification.created_at());
  const auto repeated = append_all({keyed(fakes::sample_notification(world->now(), 2), 1, 1)});
  ASSERT_TRUE(repeated.at(0)) << repeated[0].error().detail;
  EXPECT_EQ(repeated[0]->id, late.notification.id);
  EXPECT_EQ(pending(), (Ids{late.notification.id}));
  EXPECT_LE(behind(), usual + 1s);
}

TEST_P(LedgerContract, DueIsReadPageByPageInTheOrderOfItsTime) {
  Ids soonest_first;
  for (std::uint8_t i = 1; i <= 6; ++i) {
    const rules::Notification n = sample(i, 1s * (10 - i));
    append(n);
    record(with_due(n, started + std::chrono::seconds((i + 1) / 2)));
    soonest_first.push_back(n.id);
  }
  EXPECT_EQ(due(1), soonest_first);
  EXPECT_EQ(due(4), soonest_first);
  const auto first = world->run(world->backlog().due({{{}, {}}, started + 2s, 10}, world->soon()));
  ASSERT_EQ(first.value().items.size(), 2u);
  EXPECT_EQ(first.value().items[0].due_at, started + 1s);
  EXPECT_EQ(first.value().items[0].notification, sample(1, 9s));
}

TEST_P(LedgerContract, AnIdThatCannotBeOursIsNotFound) {
  const NotificationId v4(fakes::uuid("a11ce000-0000-4000-8000-000000000009"));
  const NotificationId too_old = fakes::sample_notification(started - 24h * 100).id;
  const NotificationId of_the_future = fakes::sample_notification(started + 1h).id;
  for (const NotificationId id : {v4, too_old, of_the_future, sample(9).id, NotificationId()}) {
    const auto found = world->run(world->history().find(id, world->soon()));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Errc::not_found) << id.to_string();
  }
}

TEST_P(LedgerContract, WhoeverIsElectedLaterRules) {
  stores::Upkeep& upkeep = world->upkeep();
  const auto first = world->run(upkeep.take_office("first", world->soon()));
  const auto second = world->run(upkeep.take_office("second", world->soon()));
  ASSERT_TRUE(first && second);
  EXPECT_GT(second->value, first->value);
  const auto refused = world->run(upkeep.make_partitions(*first, world->soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::Errc::conflict);
  EXPECT_TRUE(world->run(upkeep.make_partitions(*second, world->soon())));
}

}  // namespace
}  // namespace notify::contract
