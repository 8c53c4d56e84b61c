#include "rules/delivery.hpp"

#include <gtest/gtest.h>

#include "fakes/samples.hpp"

namespace notify::rules {
namespace {

using fakes::sample_device;
using fakes::sample_notification;

const base::WallTime kNow(std::chrono::milliseconds(1'790'000'000'000));
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
  const Targets targets = choose_targets({sample_device(1), sample_device(2)}, {}, kNow);
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
                       attempt(later, AttemptStatus::retry, 0, kNow + kMinute),
                       attempt(due, AttemptStatus::retry, 0, kNow - kMinute),
                       attempt(due, AttemptStatus::retry, 1, kNow),
                       attempt(out_of_tries, AttemptStatus::unknown, 5)};
  const Targets targets = choose_targets({done, gone, later, due, out_of_tries}, progress, kNow);
  ASSERT_EQ(targets.due.size(), 1u);
  EXPECT_EQ(targets.due[0].device.id, due.id);
  EXPECT_EQ(targets.due[0].retry_count, 2);
  EXPECT_EQ(targets.next_due, kNow + kMinute);
}

struct ConcludeTest : testing::Test {
  Attempt conclude_as(OutcomeKind kind, std::int32_t retry_count = 0) {
    return conclude(sample_notification(kNow), {sample_device(), retry_count}, {.kind = kind}, {},
                    kNow, rng);
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

TEST_F(ConcludeTest, TheSameTryHasTheSameId) {
  EXPECT_EQ(conclude_as(OutcomeKind::accepted).id, conclude_as(OutcomeKind::retry_later).id);
  EXPECT_NE(conclude_as(OutcomeKind::accepted, 0).id, conclude_as(OutcomeKind::accepted, 1).id);
}

TEST(RollUp, OneAcceptanceMakesItDeliveredAndTheOthersGoOn) {
  const RollUp sum = roll_up({},
                             {attempt(sample_device(1), AttemptStatus::delivered, 0),
                              attempt(sample_device(2), AttemptStatus::retry, 0, kNow + kMinute)},
                             {});
  EXPECT_EQ(sum.status, Status::delivered);
  EXPECT_EQ(sum.retry_at, kNow + kMinute);
}

TEST(RollUp, NothingLeftIsAFailure) {
  EXPECT_EQ(roll_up({}, {attempt(sample_device(), AttemptStatus::token_gone, 0)}, {}).status,
            Status::failed);
  EXPECT_EQ(roll_up({}, {}, {}).status, Status::failed);  // no device at all
}

TEST(RollUp, AWaitingTryKeepsItPending) {
  const RollUp sum = roll_up({}, {attempt(sample_device(), AttemptStatus::retry, 0, kNow)}, {});
  EXPECT_FALSE(sum.status);
  EXPECT_EQ(sum.retry_at, kNow);
  EXPECT_FALSE(roll_up({}, {}, kNow + kMinute).status);
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
  const Notification n = sample_notification(kNow);
  const base::AttemptId id = attempt_id(n.id, sample_device().id, 3);
  EXPECT_TRUE(id.uuid().is_v7());
  EXPECT_EQ(id.uuid().instant(), n.created_at());
}

}  // namespace
}  // namespace notify::rules
