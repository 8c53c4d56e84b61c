#include "edges/cli/times.hpp"

#include <gtest/gtest.h>

namespace notify::edges {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, TakesANumberAndAUnit) {
  EXPECT_EQ(parse_duration("90s").value(), 90s);
  EXPECT_EQ(parse_duration("15m").value(), 15min);
  EXPECT_EQ(parse_duration("2h").value(), 2h);
  EXPECT_EQ(parse_duration("3d").value(), 72h);
  for (const char* wrong :
       {"", "h", "2", "2 h", "-2h", "2.5h", "2hours", "99999999999999999999s", "9999999999d"}) {
    const auto refused = parse_duration(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, base::Errc::invalid);
  }
}

TEST(ParseInstant, TakesATimeOrHowLongAgo) {
  const base::WallTime now(1'790'000'000'000ms);
  EXPECT_EQ(parse_instant("2h", now).value(), now - 2h);
  EXPECT_EQ(parse_instant("2026-09-21T14:13:20Z", now).value(), now);
  EXPECT_EQ(parse_instant("2026-09-21T14:13:20.5Z", now).value(), now + 500ms);
  for (const char* wrong : {"yesterday", "2026-09-21", "2026-09-21T14:13:20",
                            "2026-09-21 14:13:20Z", "2026-09-21T14:13:20+02:00"}) {
    EXPECT_FALSE(parse_instant(wrong, now)) << wrong;
  }
}

}  // namespace
}  // namespace notify::edges
