#pragma once
// Keeps one message from filling the disk: counts lines by key and second.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"

namespace notify::telemetry {

/// Threading: one at a time; LogOutput holds its lock.
/// Limits:    kKeysMax keys are told apart; the others share one count.
class LogLimiter {
 public:
  static constexpr std::size_t kKeysMax = 1024;

  explicit LogLimiter(unsigned per_second) : per_second_(per_second) {}

  struct Verdict {
    bool write = true;
    std::uint64_t suppressed = 0;  ///< lines of this key left out since the last one written
  };
  [[nodiscard]] Verdict ask(std::string_view key, base::SteadyTime now);

  struct Rest {
    std::string key;
    std::uint64_t suppressed = 0;
  };
  /// What was left out and not told yet; told now.
  [[nodiscard]] std::vector<Rest> take_rest();

 private:
  struct Window {
    base::SteadyTime begin;
    unsigned written = 0;
    std::uint64_t suppressed = 0;
  };
  Window& window_of(std::string_view key, base::SteadyTime now);

  unsigned per_second_;
  std::unordered_map<std::string, Window> windows_;
};

}  // namespace notify::telemetry
