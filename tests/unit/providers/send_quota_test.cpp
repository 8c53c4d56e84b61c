#include "providers/fcm/send_quota.hpp"

#include <gtest/gtest.h>

#include "fakes/manual_clock.hpp"

namespace notify::providers {
namespace {

using namespace std::chrono_literals;

struct SendQuotaTest : testing::Test {
  fakes::ManualClock clock;
  SendQuota quota{600};  // ten a second

  int taken_at_once(std::chrono::nanoseconds patience = 0ns) {
    int taken = 0;
    while (quota.take(clock.steady_now(), patience).taken) ++taken;
    return taken;
  }
  int taken_within(std::chrono::seconds time) {
    int taken = 0;
    for (const auto end = clock.steady_now() + time; clock.steady_now() < end;) {
      taken += taken_at_once();
      clock.advance(1ms);
    }
    return taken;
  }
  /// A minute of sending brings it to its full rate; a little rest fills the bucket.
  void ramp_up() {
    (void)taken_within(70s);
    clock.advance(2s);
  }
};

TEST_F(SendQuotaTest, ASecondsWorthMayGoAtOnce) {
  ramp_up();
  EXPECT_EQ(taken_at_once(), 11);
  clock.advance(100ms);
  EXPECT_EQ(taken_at_once(), 1);
}

TEST_F(SendQuotaTest, OverAMinuteItIsTheRate) {
  ramp_up();
  const int taken = taken_within(60s);
  EXPECT_GE(taken, 600);
  EXPECT_LE(taken, 611);
}

TEST_F(SendQuotaTest, AfterIdlenessItBeginsWithATenthAndGrowsOverAMinute) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_LE(taken_within(6s), 8);
    const int next = taken_within(24s);  // from a tenth to a half
    EXPECT_GE(next, 60);
    EXPECT_LE(next, 80);
    (void)taken_within(40s);
    EXPECT_NEAR(taken_within(10s), 100, 2);
    clock.advance(1h);
  }
}

TEST_F(SendQuotaTest, APauseOfSecondsIsNoIdleness) {
  ramp_up();
  clock.advance(50s);
  EXPECT_EQ(taken_at_once(), 11) << "and it does not add up";
}

TEST_F(SendQuotaTest, ThoseOverItLearnWhenTheirTurnIs) {
  ramp_up();
  (void)taken_at_once();
  const auto first = quota.take(clock.steady_now(), 1s);
  const auto second = quota.take(clock.steady_now(), 1s);
  EXPECT_TRUE(first.taken);
  EXPECT_EQ(first.wait, 100ms);
  EXPECT_EQ(second.wait, 200ms);
}

TEST_F(SendQuotaTest, ATurnThatComesTooLateIsNotTaken) {
  ramp_up();
  (void)taken_at_once(300ms);
  const auto refused = quota.take(clock.steady_now(), 300ms);
  EXPECT_FALSE(refused.taken);
  EXPECT_EQ(refused.wait, 400ms);
  clock.advance(100ms);
  EXPECT_TRUE(quota.take(clock.steady_now(), 300ms).taken);
}

}  // namespace
}  // namespace notify::providers
