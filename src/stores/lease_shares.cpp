#include "stores/lease_shares.hpp"

#include <algorithm>
#include <numeric>

namespace notify::stores {
namespace {

constexpr LeaseShares kWeights = {16, 4, 1};
constexpr std::size_t kWeightsSum = 21;
constexpr std::size_t kProbe = 2;

LeaseShares all_to_one(std::size_t max, std::size_t turn) {
  const std::size_t place = turn % kWeightsSum;
  LeaseShares shares{};
  shares[place < kWeights[0] ? 0 : place < kWeights[0] + kWeights[1] ? 1 : 2] = max;
  return shares;
}

}  // namespace

LeaseShares lease_shares(std::size_t max, const std::array<bool, 3>& hungry, std::size_t turn) {
  if (max < 3 * kProbe) return all_to_one(max, turn);
  const bool none = std::none_of(hungry.begin(), hungry.end(), [](bool h) { return h; });
  LeaseShares shares{};
  std::size_t left = max;
  std::size_t weights = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] = kProbe;
    left -= kProbe;
    if (none || hungry[i]) weights += kWeights[i];
  }
  const std::size_t to_divide = left;
  std::size_t first = shares.size();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!none && !hungry[i]) continue;
    const std::size_t more = to_divide * kWeights[i] / weights;
    shares[i] += more;
    left -= more;
    first = std::min(first, i);
  }
  shares[first] += left;  // what division left over
  return shares;
}

}  // namespace notify::stores
