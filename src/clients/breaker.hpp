#pragma once
// A circuit breaker: a service that has failed several times in a row is left alone for a while, so
// that nobody waits for it, and then tried with one question.

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace notify::clients {

/// Sans-io. Every question that is let through has to be followed by succeeded() or failed().
class Breaker {
 public:
  struct Limits {
    std::size_t failures_max = 5;           ///< in a row: then it opens
    std::chrono::milliseconds pause{2000};  ///< for so long
  };

  explicit Breaker(Limits limits) : limits_(limits) {}

  /// Whether a question may be asked. After the pause: one, until it is known what came of it.
  [[nodiscard]] bool let_through(base::SteadyTime now) {
    if (!is_open()) return true;
    if (now < closed_until_) return false;
    closed_until_ = now + limits_.pause;
    return true;
  }
  void succeeded() { failures_ = 0; }
  void failed(base::SteadyTime now) {
    ++failures_;
    closed_until_ = now + limits_.pause;
  }

  /// Whether it has failed so often that it is left alone.
  [[nodiscard]] bool is_open() const { return failures_ >= limits_.failures_max; }

 private:
  Limits limits_;
  std::size_t failures_ = 0;
  base::SteadyTime closed_until_;  ///< while it is open
};

}  // namespace notify::clients
