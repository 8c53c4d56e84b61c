#pragma once
// Latencies of millions of notifications in a few kilobytes: buckets that are a thirty-second of
// their power of two wide, so that a percentile is at most 3 % above the truth. The load generator
// of bench/ uses it too.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace notify::simulator {

/// Units:  microseconds inside; whatever is longer than an hour counts as one.
/// Limits: 8 KiB.
class LatencyHistogram {
 public:
  using Duration = std::chrono::microseconds;

  void add(Duration latency, std::uint64_t times = 1) {
    const auto value = static_cast<std::uint64_t>(
        std::clamp<Duration>(latency, Duration{0}, std::chrono::hours{1}).count());
    buckets_[bucket_of(value)] += times;
    count_ += times;
    max_ = std::max(max_, value);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration max() const { return Duration(max_); }

  /// The latency that `fraction` (0 to 1) of all did not exceed; 0 if there are none.
  [[nodiscard]] Duration at(double fraction) const {
    const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted || (seen == count_ && seen > 0)) {
        return Duration(std::min(upper_bound_of(i), max_));
      }
    }
    return Duration{0};
  }

 private:
  // Values below 2 * kSteps have a bucket each; then every power of two has kSteps of them.
  static constexpr std::size_t kSteps = 32;
  static constexpr std::size_t kShiftMax = 27;  // an hour has fewer than 32 bits

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < 2 * kSteps) return static_cast<std::size_t>(value);
    const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 6;
    return shift * kSteps + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t upper_bound_of(std::size_t bucket) {
    if (bucket < 2 * kSteps) return bucket;
    const std::size_t shift = bucket / kSteps - 1;
    return ((bucket - shift * kSteps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (kShiftMax + 2) * kSteps> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace notify::simulator
