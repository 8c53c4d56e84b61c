#include "push-simulator/latency_histogram.hpp"

#include <gtest/gtest.h>

namespace notify::simulator {
namespace {

using std::chrono::microseconds;

TEST(LatencyHistogram, IsEmptyAtFirst) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.at(0.5), microseconds(0));
}

TEST(LatencyHistogram, PercentilesAreWithinThreePercentAboveTheTruth) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 100'000; ++us) histogram.add(microseconds(us));
  EXPECT_EQ(histogram.count(), 100'000u);
  for (const double fraction : {0.01, 0.5, 0.95, 0.99}) {
    const double truth = fraction * 100'000;
    const auto found = static_cast<double>(histogram.at(fraction).count());
    EXPECT_GE(found, truth);
    EXPECT_LE(found, truth * 1.04);
  }
  EXPECT_EQ(histogram.at(1.0), microseconds(100'000));
  EXPECT_EQ(histogram.max(), microseconds(100'000));
}

TEST(LatencyHistogram, WhatIsNegativeOrLongerThanAnHourIsCountedAtTheEdge) {
  LatencyHistogram histogram;
  histogram.add(microseconds(-5));
  histogram.add(std::chrono::hours(30));
  EXPECT_EQ(histogram.at(0.0), microseconds(0));
  EXPECT_EQ(histogram.max(), std::chrono::hours(1));
}

}  // namespace
}  // namespace notify::simulator
