#pragma once
// The counters of rate limits in this process's memory: what a worker goes by while Redis is away,
// and what tests put in its place.

#include <chrono>
#include <string>
#include <unordered_map>

#include "stores/limiter.hpp"

namespace notify::stores {

/// As Limiter, for who asks this object alone. `now` never goes back.
/// Threading: one executor.
/// Limits:    `counters_max` counters; with so many alive, who comes with a further one is let
///            pass uncounted: it is better to send too much than nothing.
class LocalLimits {
 public:
  explicit LocalLimits(std::size_t counters_max = 300'000) : counters_max_(counters_max) {}

  [[nodiscard]] LimitTaken take(const LimitClaim& claim, std::chrono::milliseconds now);
  void give_back(const LimitReturn& what, std::chrono::milliseconds now);
  [[nodiscard]] std::vector<LimitStanding> look(const LimitClaim& claim,
                                                std::chrono::milliseconds now);
  void clear() { counters_.clear(); }

 private:
  struct Window {
    std::chrono::milliseconds begin{0};
    std::chrono::milliseconds end{0};
    std::int64_t counted = 0;
  };
  /// Null: there is none now.
  [[nodiscard]] Window* find(const std::string& name, std::chrono::milliseconds now);
  [[nodiscard]] bool has_room(std::chrono::milliseconds now);

  std::size_t counters_max_;
  std::unordered_map<std::string, Window> counters_;
  std::chrono::milliseconds swept_at_{0};
};

}  // namespace notify::stores
