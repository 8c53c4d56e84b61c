#include "base/fair_shares.hpp"

#include <gtest/gtest.h>

namespace notify::base {
namespace {

/// Takes one by one until refused.
std::size_t take_all(FairShares& shares, std::string_view caller) {
  std::size_t taken = 0;
  while (shares.take(caller, 1)) ++taken;
  return taken;
}

TEST(FairShares, OneAloneGetsFourFifthsAndLeavesRoomForAnother) {
  FairShares shares(1000);
  EXPECT_EQ(take_all(shares, "busy"), 800u);
  EXPECT_GE(take_all(shares, "newcomer"), 100u);
}

TEST(FairShares, TwoWhoWantAllEndUpAlike) {
  FairShares shares(1000);
  std::size_t busy = take_all(shares, "busy");
  std::size_t late = take_all(shares, "late");
  for (int round = 0; round < 1000; ++round) {
    shares.give_back("busy", 1);
    busy -= 1;
    shares.give_back("late", 1);
    late -= 1;
    late += take_all(shares, "late");
    busy += take_all(shares, "busy");
  }
  EXPECT_EQ(shares.taken(), busy + late);
  EXPECT_NEAR(static_cast<double>(busy), static_cast<double>(late), 50.0);
}

TEST(FairShares, NeverMoreThanTheLimitWhoeverAsks) {
  FairShares shares(100);
  for (int caller = 0; caller < 500; ++caller) {
    take_all(shares, std::to_string(caller));
    ASSERT_LE(shares.taken(), 100u);
  }
}

TEST(FairShares, ASmallLimitStillLetsOneIn) {
  FairShares shares(1);
  EXPECT_TRUE(shares.take("a", 1));
  EXPECT_FALSE(shares.take("b", 1));
  shares.give_back("a", 1);
  EXPECT_TRUE(shares.take("b", 1));
}

TEST(FairShares, HeldSharesGoBackByThemselves) {
  FairShares shares(10);
  {
    const HeldShares held(shares, "a", 6);
    EXPECT_TRUE(held);
    const HeldShares refused(shares, "a", 6);
    EXPECT_FALSE(refused);
    EXPECT_EQ(shares.taken(), 6u);
  }
  EXPECT_EQ(shares.taken(), 0u);
}

TEST(FairShares, HeldSharesGrowAndShrink) {
  FairShares shares(10);
  {
    HeldShares held(shares, "a", 1);
    EXPECT_TRUE(held.take(5));
    EXPECT_FALSE(held.take(5)) << "more than is free";
    EXPECT_EQ(shares.taken(), 6u);
    held.give_back(4);
    EXPECT_EQ(shares.taken(), 2u);
    EXPECT_TRUE(held.take(4));
  }
  EXPECT_EQ(shares.taken(), 0u);
}

}  // namespace
}  // namespace notify::base
