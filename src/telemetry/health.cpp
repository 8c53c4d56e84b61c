#include "telemetry/health.hpp"

#include <algorithm>

namespace notify::telemetry {

std::string_view name(HealthState state) {
  switch (state) {
    case HealthState::ok: return "ok";
    case HealthState::degraded: return "degraded";
    case HealthState::down: return "down";
  }
  return "unknown";
}

void Health::Reporter::set(HealthState state, std::string detail) {
  const std::lock_guard lock(health_->mutex_);
  if (own_->state != state) own_->since = health_->clock_.now();
  own_->state = state;
  own_->detail = std::move(detail);
}

Health::Reporter Health::add(std::string name, Importance importance) {
  const std::lock_guard lock(mutex_);
  own_views_.push_back(
      {std::move(name), HealthState::down, importance, clock_.now(), "not checked yet"});
  return {*this, own_views_.back()};
}

void Health::start_draining() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

HealthReport Health::report() const {
  const std::lock_guard lock(mutex_);
  HealthReport report{.ready = !draining_, .draining = draining_, .checks = {}};
  for (const HealthCheck& own : own_views_) {
    const bool fatal = own.importance == Importance::critical && own.state == HealthState::down;
    if (fatal) report.ready = false;
    const auto same = std::find_if(report.checks.begin(), report.checks.end(),
                                   [&own](const HealthCheck& c) { return c.name == own.name; });
    if (same == report.checks.end()) {
      report.checks.push_back(own);
    } else if (own.state > same->state) {
      *same = own;
    }
  }
  return report;
}

}  // namespace notify::telemetry
