#include "rules/retry_after.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

using namespace std::chrono_literals;

/// Sun, 06 Nov 1994 08:49:07 GMT, half a minute before the date in RFC 9110's examples.
constexpr base::WallTime kReceivedAt{784111747s};

TEST(RetryAfter, ReadsSeconds) {
  EXPECT_EQ(parse_retry_after("0", kReceivedAt), 0s);
  EXPECT_EQ(parse_retry_after("120", kReceivedAt), 120s);
}

TEST(RetryAfter, ReadsTheThreeFormsOfADate) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kReceivedAt), 30s);
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kReceivedAt), 30s);
  EXPECT_EQ(parse_retry_after("Sun Nov  6 08:49:37 1994", kReceivedAt), 30s);
}

TEST(RetryAfter, RoundsUpSoThatNothingComesTooEarly) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kReceivedAt + 1ms), 30s);
}

TEST(RetryAfter, ADateThatHasPassedIsNoWait) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kReceivedAt + 1h), 0s);
}

TEST(RetryAfter, AYearOfTwoDigitsIsNeverFiftyYearsAhead) {
  const base::WallTime in_2026{1'790'000'000s};
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", in_2026), 0s);
  EXPECT_EQ(parse_retry_after("Friday, 06-Nov-76 08:49:37 GMT", in_2026), kRetryAfterMax);
}

TEST(RetryAfter, ALongWaitIsBounded) {
  EXPECT_EQ(parse_retry_after("86401", kReceivedAt), kRetryAfterMax);
  EXPECT_EQ(parse_retry_after("99999999999999999999", kReceivedAt), kRetryAfterMax);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", kReceivedAt), kRetryAfterMax);
}

TEST(RetryAfter, WhatIsNeitherIsNoWish) {
  for (const char* bad : {"", " ", "-1", "1.5", "12 ", "soon", "Sun, 06 Nov 1994 08:49:37",
                          "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 24:49:37 GMT", "06 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Foo 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
                          "Sunday, 06-Nov 08:49:37 GMT"}) {
    EXPECT_EQ(parse_retry_after(bad, kReceivedAt), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace notify::rules
