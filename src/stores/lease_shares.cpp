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

LeaseShares lease_shares(std::size_t max, const std::array<LeaseDemand, 3>& demand,
                         std::size_t turn) {
  if (max < 3 * kProbe) return all_to_one(max, turn);
  const bool none = std::all_of(demand.begin(), demand.end(),
                                [](LeaseDemand d) { return d == LeaseDemand::sated; });
  LeaseShares weights{};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (demand[i] == LeaseDemand::overdue) {
      weights[i] = kWeights[0];
    } else if (none || demand[i] == LeaseDemand::hungry) {
      weights[i] = kWeights[i];
    }
  }
  const std::size_t sum = std::accumulate(weights.begin(), weights.end(), std::size_t{0});
  const std::size_t to_divide = max - 3 * kProbe;
  LeaseShares shares{};
  std::size_t left = to_divide;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::size_t more = to_divide * weights[i] / sum;
    shares[i] = kProbe + more;
    left -= more;
  }
  // What division left over goes to the first that wants it.
  const auto* first = std::find_if(weights.begin(), weights.end(), [](auto w) { return w > 0; });
  shares[static_cast<std::size_t>(first - weights.begin())] += left;
  return shares;
}

}  // namespace notify::stores
