#pragma once
// What this node can do right now, as its workers see it: one named check per dependency, written
// by those who use the dependency, read by /readyz.

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace notify::telemetry {

/// In the order of badness.
enum class HealthState : std::uint8_t { ok, degraded, down };
[[nodiscard]] std::string_view name(HealthState state);

/// Whether the node is of use without it.
enum class Importance : std::uint8_t { critical, helpful };

struct HealthCheck {
  std::string name;
  HealthState state = HealthState::down;
  Importance importance = Importance::helpful;
  base::WallTime since;  ///< of the state, not of the detail
  std::string detail;
};

struct HealthReport {
  bool ready = false;
  bool draining = false;
  std::vector<HealthCheck> checks;  ///< in the order of their first reporters
};

/// Threading: any.
/// Lifetime:  outlives its reporters; `clock` outlives this.
class Health {
 public:
  /// One observer's view of one dependency. Threading: any.
  class Reporter {
   public:
    /// `detail` is shown to whoever can reach the admin port: no secrets, no addresses of users.
    void set(HealthState state, std::string detail = "");

   private:
    friend class Health;
    Reporter(Health& health, HealthCheck& own) : health_(&health), own_(&own) {}
    Health* health_;
    HealthCheck* own_;
  };

  explicit Health(const base::Clock& clock) : clock_(clock) {}
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  /// Begins as down, "not checked yet". Workers that report the same name are shown as one check:
  /// the worst of them.
  [[nodiscard]] Reporter add(std::string name, Importance importance);

  /// From now on not ready: no new work should come.
  void start_draining();

  /// Ready: no critical check is down, and not draining.
  [[nodiscard]] HealthReport report() const;

 private:
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::list<HealthCheck> own_views_;  // a list: reporters point into it
  bool draining_ = false;
};

}  // namespace notify::telemetry
