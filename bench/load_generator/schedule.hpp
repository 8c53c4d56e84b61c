#pragma once
// When each call should start. In an open loop the instants are fixed beforehand, and latency
// counts from them: a service that stalls does not thereby get fewer calls to be slow in
// ("coordinated omission"). In a closed loop a call starts when another one ends.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "base/clock.hpp"
#include "load_generator/options.hpp"

namespace notify::bench {

/// Counts calls, or messages of a stream, of `options.items` notifications each.
class Schedule {
 public:
  Schedule(const LoadOptions& options, base::SteadyTime begin)
      : open_(options.rate > 0), begin_(begin), end_(begin + options.duration) {
    const auto items = static_cast<double>(options.items);
    const double calls_per_second = open_ ? options.rate / items : 0;
    const double seconds = std::chrono::duration<double>(options.duration).count();
    if (open_) {
      interval_ = std::chrono::duration<double>(1 / calls_per_second);
      total_ = static_cast<std::uint64_t>(calls_per_second * seconds);
    }
    if (options.count_max > 0) total_ = std::min(total_, options.count_max / options.items);
  }

  [[nodiscard]] bool is_open() const { return open_; }

  /// Whether call number `call` is never to be started.
  [[nodiscard]] bool is_over(std::uint64_t call, base::SteadyTime now) const {
    return call >= total_ || (!open_ && now >= end_);
  }

  /// The intended start; `now` in a closed loop.
  [[nodiscard]] base::SteadyTime start_of(std::uint64_t call, base::SteadyTime now) const {
    if (!open_) return now;
    return begin_ + std::chrono::duration_cast<base::SteadyTime::duration>(
                        interval_ * static_cast<double>(call));
  }

 private:
  bool open_;
  base::SteadyTime begin_;
  base::SteadyTime end_;
  std::chrono::duration<double> interval_{0};
  std::uint64_t total_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace notify::bench
