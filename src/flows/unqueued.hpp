#pragma once
// What was accepted while the queue was away waits in the ledger for the sweep, and has no other
// bound than this count of it (decision D-11).

#include <chrono>
#include <cstddef>
#include <map>

#include "base/clock.hpp"

namespace notify::flows {

/// Notifications by the second in which they were made. Memory: an entry for each second of an
/// outage.
/// Threading: one executor.
class Unqueued {
 public:
  void add(base::WallTime created_at) {
    ++of_second_[std::chrono::floor<std::chrono::seconds>(created_at)];
    ++count_;
  }
  /// All that was made before is in the queue, or was.
  void swept_until(base::WallTime until) {
    // A second of which only a part was swept stays whole.
    while (!of_second_.empty() && of_second_.begin()->first + std::chrono::seconds(1) <= until) {
      count_ -= of_second_.begin()->second;
      of_second_.erase(of_second_.begin());
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::map<base::WallTime, std::size_t> of_second_;
  std::size_t count_ = 0;
};

}  // namespace notify::flows
