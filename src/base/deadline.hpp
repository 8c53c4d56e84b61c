#pragma once
// An absolute point in steady time by which something must be done. Passed down a call chain, so
// that the whole of a request has one deadline however many steps it takes.

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace notify::base {

class Deadline {
 public:
  explicit Deadline(SteadyTime at) : at_(at) {}

  [[nodiscard]] static Deadline after(const Clock& clock, std::chrono::nanoseconds delay) {
    return Deadline(clock.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(delay));
  }

  /// For work that ends by being stopped, not by time.
  [[nodiscard]] static Deadline never() { return Deadline(SteadyTime::max()); }

  [[nodiscard]] SteadyTime at() const { return at_; }
  [[nodiscard]] bool is_never() const { return at_ == SteadyTime::max(); }
  [[nodiscard]] bool passed(SteadyTime now) const { return now >= at_; }

  /// Zero once passed.
  [[nodiscard]] std::chrono::nanoseconds left(SteadyTime now) const {
    return now >= at_ ? std::chrono::nanoseconds(0) : std::chrono::nanoseconds(at_ - now);
  }

  [[nodiscard]] Deadline earlier_of(Deadline other) const {
    return Deadline(std::min(at_, other.at_));
  }

 private:
  SteadyTime at_;
};

}  // namespace notify::base
