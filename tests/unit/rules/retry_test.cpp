#include "rules/retry.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const base::WallTime kFailedAt(std::chrono::milliseconds(1'790'000'000'000));

RetryInput input(std::int32_t retries_made) {
  return {.retries_made = retries_made,
          .now = kFailedAt,
          .begun_at = kFailedAt - minutes(1),
          .expires_at = kFailedAt + hours(20),
          .retry_after = {},
          .retry_min = {}};
}

TEST(PlanRetry, FollowsTheScheduleWithJitterOnTop) {
  base::SeededRng rng(1);
  const RetryPolicy policy;
  for (std::int32_t made = 0; made < 5; ++made) {
    const auto delay = policy.delays[static_cast<std::size_t>(made)];
    for (int i = 0; i < 100; ++i) {
      const auto next = plan_retry(policy, input(made), rng);
      ASSERT_TRUE(next);
      EXPECT_GE(*next, kFailedAt + delay);
      EXPECT_LE(*next, kFailedAt + delay + delay / 5 + std::chrono::milliseconds(1));
    }
  }
  EXPECT_FALSE(plan_retry(policy, input(5), rng));
}

TEST(PlanRetry, JitterSpreads) {
  base::SeededRng rng(1);
  EXPECT_NE(plan_retry({}, input(2), rng), plan_retry({}, input(2), rng));
}

TEST(PlanRetry, TheProvidersWishWins) {
  base::SeededRng rng(1);
  RetryInput wish = input(0);
  wish.retry_after = seconds(1);
  const auto next = plan_retry({}, wish, rng);
  EXPECT_GE(*next, kFailedAt + seconds(1));
  EXPECT_LE(*next, kFailedAt + std::chrono::milliseconds(1201));
  wish.retry_after = hours(2);
  EXPECT_GE(*plan_retry({}, wish, rng), kFailedAt + hours(2));
}

TEST(PlanRetry, AProvidersMinimumLengthensOnlyShorterDelays) {
  base::SeededRng rng(1);
  RetryInput asked = input(0);
  asked.retry_min = minutes(1);
  EXPECT_GE(*plan_retry({}, asked, rng), kFailedAt + minutes(1));
  asked.retry_min = seconds(10);
  EXPECT_GE(*plan_retry({}, asked, rng), kFailedAt + seconds(30));
  asked.retry_min = minutes(1);
  asked.retry_after = seconds(2);
  EXPECT_LE(*plan_retry({}, asked, rng), kFailedAt + seconds(3));
}

TEST(PlanRetry, NothingIsRetriedAfterItsExpiry) {
  base::SeededRng rng(1);
  RetryInput late = input(0);
  late.expires_at = kFailedAt + seconds(30);
  EXPECT_FALSE(plan_retry({}, late, rng));
}

TEST(PlanRetry, NothingIsRetriedAfterADay) {
  base::SeededRng rng(1);
  RetryInput old = input(4);
  old.begun_at = kFailedAt - hours(23) - minutes(30);
  EXPECT_FALSE(plan_retry({}, old, rng));
}

TEST(PlanRetry, AWishForNoWaitIsNone) {
  base::SeededRng rng(1);
  RetryInput now = input(0);
  now.retry_after = seconds(0);
  now.retry_min = seconds(60);
  EXPECT_GE(*plan_retry({}, now, rng), kFailedAt + seconds(60));
}

TEST(PlanParking, GrowsWithTheOutageBetweenItsBounds) {
  base::SeededRng rng(1);
  const auto parked = [&](seconds outage) { return plan_parking(outage, rng); };
  for (int i = 0; i < 100; ++i) {
    EXPECT_GE(parked(seconds(0)), seconds(5));
    EXPECT_LE(parked(seconds(0)), seconds(6));
    EXPECT_GE(parked(minutes(4)), minutes(1));
    EXPECT_LE(parked(minutes(4)), seconds(72));
    EXPECT_GE(parked(hours(3)), minutes(2));
    EXPECT_LE(parked(hours(3)), seconds(144));
  }
}

}  // namespace
}  // namespace notify::rules
