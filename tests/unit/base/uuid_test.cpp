#include "base/uuid.hpp"

#include <gtest/gtest.h>

#include <set>

#include "fakes/manual_clock.hpp"

namespace notify::base {
namespace {

TEST(Uuid, ReadsTheInstantOfRfc9562sExample) {
  const auto id = Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");  // appendix A.6
  ASSERT_TRUE(id);
  EXPECT_TRUE(id->is_v7());
  EXPECT_EQ(id->instant().time_since_epoch().count(), 0x017F22E279B0);
  EXPECT_EQ(id->to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Uuid, RefusesEverythingButTheCanonicalForm) {
  EXPECT_FALSE(Uuid::parse(""));
  EXPECT_FALSE(Uuid::parse("017F22E279B07CC398C4DC0C0C07398F"));
  EXPECT_FALSE(Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398"));
  EXPECT_FALSE(Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398G"));
  EXPECT_FALSE(Uuid::parse("{17F22E2-79B0-7CC3-98C4-DC0C0C07398F}"));
}

TEST(UuidV7Generator, RisesWithinOneMillisecondAndBeyondItsCounter) {
  const fakes::ManualClock clock;
  SeededRng rng(1);
  UuidV7Generator generator(clock, rng);
  Uuid last = generator.next();
  for (int i = 0; i < 10'000; ++i) {
    const Uuid next = generator.next();
    ASSERT_TRUE(next.is_v7());
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(UuidV7Generator, RisesWhenTheWallClockJumpsBack) {
  fakes::ManualClock clock;
  SeededRng rng(1);
  UuidV7Generator generator(clock, rng);
  const Uuid before = generator.next();
  clock.jump_wall(std::chrono::hours(-2));
  EXPECT_LT(before, generator.next());
}

TEST(UuidV7Bounds, EncloseEveryIdOfTheInstant) {
  const fakes::ManualClock clock;
  SeededRng rng(7);
  UuidV7Generator generator(clock, rng);
  const Uuid id = generator.next();
  EXPECT_LE(uuid_v7_min(clock.now()), id);
  EXPECT_GE(uuid_v7_max(clock.now()), id);
}

}  // namespace
}  // namespace notify::base
