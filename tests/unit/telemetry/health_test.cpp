#include "telemetry/health.hpp"

#include <gtest/gtest.h>
#include <thread>

#include "fakes/manual_clock.hpp"

namespace notify::telemetry {
namespace {

using namespace std::chrono_literals;

TEST(Health, IsNotReadyBeforeEveryCriticalCheckHasSpoken) {
  const fakes::ManualClock clock;
  Health health(clock);
  auto postgres = health.add("postgres", Importance::critical);
  auto redis = health.add("redis", Importance::helpful);
  EXPECT_FALSE(health.report().ready);
  EXPECT_EQ(health.report().checks.at(0).detail, "not checked yet");
  postgres.set(HealthState::ok);
  EXPECT_TRUE(health.report().ready) << "a helpful check may be down";
  postgres.set(HealthState::degraded);
  EXPECT_TRUE(health.report().ready) << "degraded still works";
  postgres.set(HealthState::down, "refused");
  EXPECT_FALSE(health.report().ready);
  redis.set(HealthState::ok);
  EXPECT_FALSE(health.report().ready);
}

TEST(Health, DrainingIsNotReadyHoweverWellItIs) {
  const fakes::ManualClock clock;
  Health health(clock);
  health.add("postgres", Importance::critical).set(HealthState::ok);
  health.start_draining();
  EXPECT_FALSE(health.report().ready);
  EXPECT_TRUE(health.report().draining);
}

TEST(Health, SinceIsWhenTheStateChangedNotWhenItWasRepeated) {
  fakes::ManualClock clock;
  Health health(clock);
  auto redis = health.add("redis", Importance::helpful);
  clock.advance(1s);
  redis.set(HealthState::ok);
  const auto changed = clock.now();
  clock.advance(1s);
  redis.set(HealthState::ok, "fine");
  EXPECT_EQ(health.report().checks.at(0).since, changed);
  EXPECT_EQ(health.report().checks.at(0).detail, "fine");
}

TEST(Health, WorkersThatReportTheSameNameAreShownAsTheWorstOfThem) {
  const fakes::ManualClock clock;
  Health health(clock);
  auto first = health.add("postgres", Importance::critical);
  auto second = health.add("postgres", Importance::critical);
  first.set(HealthState::ok);
  second.set(HealthState::down, "refused");
  const HealthReport report = health.report();
  ASSERT_EQ(report.checks.size(), 1U);
  EXPECT_EQ(report.checks[0].state, HealthState::down);
  EXPECT_EQ(report.checks[0].detail, "refused");
  EXPECT_FALSE(report.ready);
}

TEST(Health, CanBeWrittenAndReadFromSeveralThreads) {
  const fakes::ManualClock clock;
  Health health(clock);
  auto first = health.add("a", Importance::critical);
  auto second = health.add("a", Importance::critical);
  const auto flap = [](Health::Reporter reporter) {
    for (int i = 0; i < 200; ++i) reporter.set(i % 2 == 0 ? HealthState::down : HealthState::ok);
  };
  std::thread one(flap, first);
  std::thread two(flap, second);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(health.report().checks.size(), 1U);
  one.join();
  two.join();
  EXPECT_TRUE(health.report().ready);
}

}  // namespace
}  // namespace notify::telemetry
