#include "stores/lease_shares.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

namespace notify::stores {
namespace {

std::size_t sum(const LeaseShares& shares) {
  return std::accumulate(shares.begin(), shares.end(), std::size_t{0});
}

using enum LeaseDemand;

TEST(LeaseShares, AllHungryAreServedByWeight) {
  const LeaseShares shares = lease_shares(6 + 210, {hungry, hungry, hungry}, 0);
  EXPECT_EQ(shares, (LeaseShares{162, 42, 12}));
}

TEST(LeaseShares, OneAloneGetsAllButAFew) {
  EXPECT_EQ(lease_shares(64, {sated, hungry, sated}, 0), (LeaseShares{2, 60, 2}));
  EXPECT_EQ(lease_shares(64, {sated, sated, hungry}, 0), (LeaseShares{2, 2, 60}));
}

TEST(LeaseShares, WhoIsOverdueIsServedLikeTheHighest) {
  EXPECT_EQ(lease_shares(6 + 33, {hungry, sated, overdue}, 0), (LeaseShares{19, 2, 18}));
  EXPECT_EQ(lease_shares(6 + 36, {hungry, hungry, overdue}, 0), (LeaseShares{18, 6, 18}));
}

TEST(LeaseShares, WithoutRoomForAllTheyTakeTurnsByWeight) {
  LeaseShares total{};
  for (std::size_t turn = 0; turn < 21; ++turn) {
    const LeaseShares shares = lease_shares(1, {hungry, hungry, hungry}, turn);
    for (std::size_t i = 0; i < 3; ++i) total[i] += shares[i];
  }
  EXPECT_EQ(total, (LeaseShares{16, 4, 1}));
}

RC_GTEST_PROP(LeaseShares, AddUpToWhatWasAskedForAndStarveNobody,
              (std::uint8_t demands, std::uint8_t size)) {
  const std::size_t max = size;
  std::array<LeaseDemand, 3> demand{};
  for (LeaseDemand& one : demand) {
    one = static_cast<LeaseDemand>(demands % 3);
    demands = static_cast<std::uint8_t>(demands / 3);
  }
  LeaseShares over_turns{};
  for (std::size_t turn = 0; turn < 21; ++turn) {
    const LeaseShares shares = lease_shares(max, demand, turn);
    RC_ASSERT(sum(shares) == max);
    for (std::size_t i = 0; i < 3; ++i) over_turns[i] += shares[i];
  }
  for (const std::size_t share : over_turns) RC_ASSERT(share > 0 || max == 0);
}

}  // namespace
}  // namespace notify::stores
