#include "rules/delivery.hpp"

#include <gtest/gtest.h>

#include <map>

#include "fakes/samples.hpp"
#include "rules/apns.hpp"

namespace notify::rules {
namespace {

using fakes::sample_device;
using fakes::sample_notification;

const base::WallTime kSentAt(std::chrono::milliseconds(1'790'000'000'000));
const auto kMinute = std::chrono::minutes(1);

Attempt attempt(const Device& device, AttemptStatus status, std::int32_t retry_count,
                std::optional<base::WallTime> next = {}) {
  Attempt a;
  a.device = device.id;
  a.status = status;
  a.retry_count = retry_count;
  a.next_retry_at = next;
  return a;
}

TEST(ChooseTargets, TriesEveryDeviceTheFirstTime) {
  const Targets targets = choose_targets({sample_device(1), sample_device(2)}, {}, kSentAt);
  ASSERT_EQ(targets.due.size(), 2u);
  EXPECT_EQ(targets.due[0].retry_count, 0);
  EXPECT_FALSE(targets.next_due);
}

TEST(ChooseTargets, LeavesOutWhatIsDoneAndWhatIsNotYetDue) {
  const Device done = sample_device(1);
  const Device gone = sample_device(2);
  const Device later = sample_device(3);
  const Device due = sample_device(4);
  const Device out_of_tries = sample_device(5);
  Progress progress;
  progress.attempts = {attempt(done, AttemptStatus::delivered, 0),
                       attempt(gone, AttemptStatus::token_gone, 0),
                       attempt(later, AttemptStatus::retry, 0, kSentAt + kMinute),
                       attempt(due, AttemptStatus::retry, 0, kSentAt - kMinute),
                       attempt(due, AttemptStatus::retry, 1, kSentAt),
                       attempt(out_of_tries, AttemptStatus::unknown, 5)};
  const Targets targets = choose_targets({done, gone, later, due, out_of_tries}, progress, kSentAt);
  ASSERT_EQ(targets.due.size(), 1u);
  EXPECT_EQ(targets.due[0].device.id, due.id);
  EXPECT_EQ(targets.due[0].retry_count, 2);
  EXPECT_EQ(targets.next_due, kSentAt + kMinute);
}

/// Found by the simulation: another node had made a later try before the acceptance was on record.
TEST(ChooseTargets, AnAcceptanceCountsWhicheverTryItWas) {
  const Device phone = sample_device(1);
  Progress progress;
  progress.attempts = {attempt(phone, AttemptStatus::delivered, 0),
                       attempt(phone, AttemptStatus::retry, 1, kSentAt - kMinute)};
  const Targets targets = choose_targets({phone}, progress, kSentAt);
  EXPECT_TRUE(targets.due.empty());
  EXPECT_FALSE(targets.next_due);
}

TEST(ChooseTargets, ADeviceThatIsListedTwiceIsOneByItsNewestRegistration) {
  Device older = sample_device(1);
  Device newer = older;
  newer.registered_at = kSentAt;
  newer.app_id = "newer";
  for (const auto& both : {std::vector{older, newer}, std::vector{newer, older}}) {
    const Targets targets = choose_targets(both, {}, kSentAt);
    ASSERT_EQ(targets.due.size(), 1u);
    EXPECT_EQ(targets.due[0].device.app_id, "newer");
  }
}

struct LeaveOutTest : testing::Test {
  Device phone = sample_device(1);
  Device tablet = sample_device(2);
  Progress progress;
  std::vector<Target> due;

  /// Why each was left out, in the order of `devices`; the others stay in `due`.
  std::map<base::DeviceId, LeftOut> leave_out_of(const std::vector<Device>& devices,
                                                 Environment apple = Environment::production) {
    due = choose_targets(devices, progress, kSentAt).due;
    std::map<base::DeviceId, LeftOut> why;
    const auto flaw = [apple](const Device& device) {
      auto own = flaw_of(device);
      return own ? own : apns_flaw_of(device, apple);
    };
    for (const Untried& one : leave_out(due, devices, progress, flaw)) {
      EXPECT_FALSE(one.outcome.was_asked);
      EXPECT_EQ(one.outcome.kind, OutcomeKind::rejected);
      EXPECT_EQ(one.outcome.code, name(one.why));
      EXPECT_FALSE(one.outcome.message.empty());
      why[one.target.device.id] = one.why;
    }
    return why;
  }
  using Why = std::map<base::DeviceId, LeftOut>;
};

TEST_F(LeaveOutTest, WhatIsNotUnderstoodSpoilsNoOther) {
  Device nameless = sample_device(3);
  nameless.id = base::DeviceId();
  Device nameless_too = sample_device(4);
  nameless_too.id = base::DeviceId();
  tablet.platform = Platform::unknown;
  EXPECT_EQ(
      leave_out_of({nameless, tablet, nameless_too, phone}),
      (Why{{base::DeviceId(), LeftOut::not_understood}, {tablet.id, LeftOut::not_understood}}));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].device.id, phone.id);
}

TEST_F(LeaveOutTest, ADeviceWithoutATokenIsNotTried) {
  phone.token = base::Secret("");
  EXPECT_EQ(leave_out_of({phone, tablet}), (Why{{phone.id, LeftOut::no_token}}));
  base::SeededRng rng(1);
  std::vector<Target> both = choose_targets({phone, tablet}, {}, kSentAt).due;
  const auto untried =
      leave_out(both, {phone, tablet}, {}, [](const Device& device) { return flaw_of(device); });
  const Attempt recorded = conclude(sample_notification(kSentAt), untried[0].target,
                                    untried[0].outcome, {}, kSentAt, rng);
  EXPECT_EQ(recorded.status, AttemptStatus::failed);
  EXPECT_EQ(recorded.provider, "") << "nobody was asked";
}

TEST_F(LeaveOutTest, AProviderHearsOnlyOfDevicesOfItsEnvironment) {
  phone.environment = Environment::sandbox;
  tablet.environment = Environment::production;
  const Device unnamed = sample_device(3);
  EXPECT_EQ(leave_out_of({phone, tablet, unnamed}), (Why{{phone.id, LeftOut::other_environment}}));
  EXPECT_EQ(leave_out_of({phone, tablet, unnamed}, Environment::sandbox),
            (Why{{tablet.id, LeftOut::other_environment}}));
}

TEST_F(LeaveOutTest, OfThoseWithOneTokenTheNewestRegistrationGetsIt) {
  phone.token = base::Secret("00ff");
  tablet.token = base::Secret("00FF");
  tablet.registered_at = kSentAt;
  EXPECT_EQ(leave_out_of({phone, tablet}), (Why{{phone.id, LeftOut::same_token}}));
  tablet.registered_at = phone.registered_at;
  EXPECT_EQ(leave_out_of({phone, tablet}), leave_out_of({tablet, phone})) << "in either order";
  EXPECT_EQ(due.size(), 1u);
  phone.token = base::Secret("00fe");
  EXPECT_TRUE(leave_out_of({phone, tablet}).empty());
}

TEST_F(LeaveOutTest, OneThatIsLeftOutItselfTakesTheTokenFromNobody) {
  tablet.token = phone.token;
  tablet.registered_at = kSentAt;
  tablet.environment = Environment::sandbox;
  EXPECT_EQ(leave_out_of({phone, tablet}), (Why{{tablet.id, LeftOut::other_environment}}));
}

TEST_F(LeaveOutTest, WhoHasTheTokensPushOrIsBeingTriedKeepsIt) {
  tablet.token = phone.token;
  tablet.registered_at = kSentAt;  // since the phone was tried
  progress.attempts = {attempt(phone, AttemptStatus::delivered, 0)};
  EXPECT_EQ(leave_out_of({phone, tablet}), (Why{{tablet.id, LeftOut::same_token}}));
  progress.attempts = {attempt(phone, AttemptStatus::unknown, 0, kSentAt + kMinute)};
  EXPECT_EQ(leave_out_of({phone, tablet}), (Why{{tablet.id, LeftOut::same_token}}));
  progress.attempts = {attempt(phone, AttemptStatus::failed, 0)};
  EXPECT_TRUE(leave_out_of({phone, tablet}).empty());
}

struct ReplayRuleTest : testing::Test {
  static Attempt at(Attempt made, base::WallTime when) {
    made.attempted_at = when;
    return made;
  }
  static Progress replayed(std::vector<Attempt> attempts) {
    return {.status = Status::failed, .attempts = std::move(attempts), .replayed_at = kSentAt};
  }
  Device phone = sample_device(1);
  Device tablet = sample_device(2);
  base::SeededRng rng{1};
};

TEST_F(ReplayRuleTest, OnlyAFailureThatWasReplayedIsNotFinished) {
  EXPECT_FALSE(is_finished(replayed({})));
  EXPECT_TRUE(is_finished({.status = Status::failed}));
  EXPECT_FALSE(is_finished({.status = Status::pending}));
  EXPECT_FALSE(is_finished({.status = Status::delivered}));  // another device may have a try left
  for (const Status status : {Status::cancelled, Status::expired, Status::superseded}) {
    EXPECT_TRUE(is_finished({.status = status, .replayed_at = kSentAt})) << name(status);
  }
}

TEST_F(ReplayRuleTest, EveryDeviceThatHasNotAcceptedIsTriedAnewUnderTheNextNumber) {
  const Device gone = sample_device(3);
  const Device fresh = sample_device(4);
  const auto before = kSentAt - kMinute;
  const Targets targets = choose_targets(
      {phone, tablet, gone, fresh},
      replayed({at(attempt(phone, AttemptStatus::retry, 0, kSentAt + kMinute), before),
                at(attempt(phone, AttemptStatus::failed, 1), before),
                at(attempt(tablet, AttemptStatus::delivered, 0), before),
                at(attempt(gone, AttemptStatus::token_gone, 0), before)}),
      kSentAt);
  ASSERT_EQ(targets.due.size(), 3u);
  EXPECT_EQ(targets.due[0].device.id, phone.id);
  EXPECT_EQ(targets.due[0].retry_count, 2);
  EXPECT_EQ(targets.due[0].forgiven, 2);
  EXPECT_EQ(targets.due[1].device.id, gone.id);
  EXPECT_EQ(targets.due[1].retry_count, 1);
  EXPECT_EQ(targets.due[2].device.id, fresh.id);
  EXPECT_EQ(targets.due[2].retry_count, 0);
  EXPECT_EQ(targets.due[2].replayed_at, kSentAt);
}

TEST_F(ReplayRuleTest, WhatWasTriedSinceTheReplayGoesByTheUsualRules) {
  const Targets targets = choose_targets(
      {phone, tablet},
      replayed({at(attempt(phone, AttemptStatus::failed, 4), kSentAt - kMinute),
                at(attempt(phone, AttemptStatus::failed, 5), kSentAt),
                at(attempt(tablet, AttemptStatus::failed, 5), kSentAt - kMinute),
                at(attempt(tablet, AttemptStatus::retry, 6, kSentAt + kMinute), kSentAt)}),
      kSentAt + kMinute / 2);
  EXPECT_TRUE(targets.due.empty());
  EXPECT_EQ(targets.next_due, kSentAt + kMinute);
}

TEST_F(ReplayRuleTest, AReplayHasRetriesAndADayOfItsOwn) {
  Notification old = sample_notification(kSentAt - std::chrono::hours(48));
  old.expires_at = kSentAt + std::chrono::hours(2);
  const Target target{phone, 6, 6, kSentAt};
  const Attempt made =
      conclude(old, target, {.kind = OutcomeKind::retry_later}, {}, kSentAt + kMinute, rng);
  EXPECT_EQ(made.status, AttemptStatus::retry);
  EXPECT_EQ(made.retry_count, 6);
  EXPECT_EQ(made.id, attempt_id(old.id, phone.id, 6));
  ASSERT_TRUE(made.next_retry_at);
  EXPECT_GE(*made.next_retry_at - made.attempted_at, std::chrono::seconds(30));
  EXPECT_LT(*made.next_retry_at - made.attempted_at, std::chrono::seconds(37));
  const Target last{phone, 11, 6, kSentAt};
  EXPECT_EQ(conclude(old, last, {.kind = OutcomeKind::retry_later}, {}, kSentAt, rng).status,
            AttemptStatus::failed);
}

TEST_F(ReplayRuleTest, ItStaysFailedUntilAProviderAcceptsIt) {
  const Progress before =
      replayed({at(attempt(tablet, AttemptStatus::unknown, 5), kSentAt - kMinute)});
  EXPECT_FALSE(roll_up(before, {attempt(phone, AttemptStatus::failed, 1)}, {}).status);
  EXPECT_FALSE(roll_up(before, {attempt(phone, AttemptStatus::unknown, 6)}, {}).status);
  const RollUp waiting = roll_up(before, {attempt(phone, AttemptStatus::retry, 1, kSentAt)}, {});
  EXPECT_FALSE(waiting.status);
  EXPECT_EQ(waiting.retry_at, kSentAt);
  EXPECT_EQ(roll_up(before, {attempt(phone, AttemptStatus::delivered, 1)}, {}).status,
            Status::delivered);
}

TEST(IsFinished, WhatIsCancelledIsWhateverItsStatus) {
  Progress progress;
  progress.status = Status::delivered;
  EXPECT_FALSE(is_finished(progress));
  progress.is_cancelled = true;
  EXPECT_TRUE(is_finished(progress));
}

TEST(CancelResult, IsCancelledIfNothingWasOrMayHaveBeenSent) {
  const Device phone = sample_device(1);
  const Device tablet = sample_device(2);
  EXPECT_EQ(cancel_result({}), CancelResult::cancelled);
  EXPECT_EQ(cancel_result({attempt(phone, AttemptStatus::retry, 0, kSentAt),
                           attempt(tablet, AttemptStatus::token_gone, 0)}),
            CancelResult::cancelled);
}

TEST(CancelResult, IsPartlySentIfSomethingWasLeftToTry) {
  const Device phone = sample_device(1);
  const Device tablet = sample_device(2);
  EXPECT_EQ(cancel_result({attempt(phone, AttemptStatus::delivered, 0),
                           attempt(tablet, AttemptStatus::retry, 0, kSentAt)}),
            CancelResult::partly_sent);
  EXPECT_EQ(cancel_result({attempt(phone, AttemptStatus::unknown, 0, kSentAt)}),
            CancelResult::partly_sent);
}

TEST(CancelResult, IsTooLateIfNothingWasLeftToTry) {
  const Device phone = sample_device(1);
  const Device tablet = sample_device(2);
  EXPECT_EQ(cancel_result({attempt(phone, AttemptStatus::retry, 0, kSentAt),
                           attempt(phone, AttemptStatus::delivered, 1),
                           attempt(tablet, AttemptStatus::failed, 0)}),
            CancelResult::too_late);
  EXPECT_EQ(cancel_result({attempt(phone, AttemptStatus::unknown, 5)}), CancelResult::too_late);
}

struct ConcludeTest : testing::Test {
  Attempt conclude_as(OutcomeKind kind, std::int32_t retry_count = 0) {
    return conclude(sample_notification(kSentAt), {sample_device(), retry_count}, {.kind = kind},
                    {}, kSentAt, rng);
  }
  base::SeededRng rng{1};
};

TEST_F(ConcludeTest, PlansANextTryOnlyForWhatMayStillSucceed) {
  EXPECT_EQ(conclude_as(OutcomeKind::accepted).status, AttemptStatus::delivered);
  EXPECT_EQ(conclude_as(OutcomeKind::token_gone).status, AttemptStatus::token_gone);
  EXPECT_EQ(conclude_as(OutcomeKind::rejected).status, AttemptStatus::failed);
  EXPECT_FALSE(conclude_as(OutcomeKind::rejected).next_retry_at);
  EXPECT_EQ(conclude_as(OutcomeKind::retry_later).status, AttemptStatus::retry);
  EXPECT_TRUE(conclude_as(OutcomeKind::retry_later).next_retry_at);
  EXPECT_EQ(conclude_as(OutcomeKind::bad_credentials).status, AttemptStatus::retry);
  EXPECT_EQ(conclude_as(OutcomeKind::unknown).status, AttemptStatus::unknown);
  EXPECT_TRUE(conclude_as(OutcomeKind::unknown).next_retry_at);
}

TEST_F(ConcludeTest, TheLastTryThatFailsIsAFailure) {
  EXPECT_EQ(conclude_as(OutcomeKind::retry_later, 5).status, AttemptStatus::failed);
  EXPECT_EQ(conclude_as(OutcomeKind::unknown, 5).status, AttemptStatus::unknown);
  EXPECT_FALSE(conclude_as(OutcomeKind::unknown, 5).next_retry_at);
}

TEST_F(ConcludeTest, TheDayOfRetriesOfWhatWasScheduledBeginsWithItsTime) {
  Notification n = sample_notification(kSentAt - std::chrono::days(3));
  n.expires_at = kSentAt + std::chrono::hours(4);
  const auto made = [&] {
    return conclude(n, {sample_device()}, {.kind = OutcomeKind::retry_later}, {}, kSentAt, rng);
  };
  EXPECT_FALSE(made().next_retry_at);
  n.deliver_at = kSentAt - kMinute;
  EXPECT_TRUE(made().next_retry_at);
}

TEST_F(ConcludeTest, AnAttemptNamesTheProviderThatWasAsked) {
  EXPECT_EQ(conclude_as(OutcomeKind::rejected).provider, "apns");
  Target web{sample_device()};
  web.device.platform = Platform::web;
  EXPECT_EQ(conclude(sample_notification(kSentAt), web, {}, {}, kSentAt, rng).provider, "");
}

TEST_F(ConcludeTest, TheSameTryHasTheSameId) {
  EXPECT_EQ(conclude_as(OutcomeKind::accepted).id, conclude_as(OutcomeKind::retry_later).id);
  EXPECT_NE(conclude_as(OutcomeKind::accepted, 0).id, conclude_as(OutcomeKind::accepted, 1).id);
}

TEST(RollUp, OneAcceptanceMakesItDeliveredAndTheOthersGoOn) {
  const RollUp sum =
      roll_up({},
              {attempt(sample_device(1), AttemptStatus::delivered, 0),
               attempt(sample_device(2), AttemptStatus::retry, 0, kSentAt + kMinute)},
              {});
  EXPECT_EQ(sum.status, Status::delivered);
  EXPECT_EQ(sum.retry_at, kSentAt + kMinute);
}

TEST(RollUp, NothingLeftIsAFailure) {
  EXPECT_EQ(roll_up({}, {attempt(sample_device(), AttemptStatus::token_gone, 0)}, {}).status,
            Status::failed);
  EXPECT_EQ(roll_up({}, {}, {}).status, Status::failed);  // no device at all
}

TEST(RollUp, AWaitingTryKeepsItPending) {
  const RollUp sum = roll_up({}, {attempt(sample_device(), AttemptStatus::retry, 0, kSentAt)}, {});
  EXPECT_FALSE(sum.status);
  EXPECT_EQ(sum.retry_at, kSentAt);
  EXPECT_FALSE(roll_up({}, {}, kSentAt + kMinute).status);
}

TEST(RollUp, SilenceToTheEndIsSentNotFailed) {
  const RollUp now = roll_up({}, {attempt(sample_device(), AttemptStatus::unknown, 5)}, {});
  EXPECT_EQ(now.status, Status::sent);
  Progress before;
  before.attempts = {attempt(sample_device(1), AttemptStatus::unknown, 5)};
  const RollUp later = roll_up(before, {attempt(sample_device(2), AttemptStatus::failed, 0)}, {});
  EXPECT_EQ(later.status, Status::sent);
}

TEST(RollUp, WhatWasDeliveredBeforeStaysDelivered) {
  Progress before;
  before.status = Status::delivered;
  before.attempts = {attempt(sample_device(1), AttemptStatus::delivered, 0)};
  EXPECT_FALSE(roll_up(before, {attempt(sample_device(2), AttemptStatus::failed, 1)}, {}).status);
  // The status was lost with the process, the attempt was not.
  before.status = Status::pending;
  EXPECT_EQ(roll_up(before, {}, {}).status, Status::delivered);
}

TEST(AttemptId, LiesInItsNotificationsMillisecond) {
  const Notification n = sample_notification(kSentAt);
  const base::AttemptId id = attempt_id(n.id, sample_device().id, 3);
  EXPECT_TRUE(id.uuid().is_v7());
  EXPECT_EQ(id.uuid().instant(), n.created_at());
}

}  // namespace
}  // namespace notify::rules
