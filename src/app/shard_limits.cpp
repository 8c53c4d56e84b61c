// A shard's rate limits.

#include "app/shard.hpp"
#include "app/wiring.hpp"

namespace notify::app {

void Shard::wire_limits() {
  const telemetry::LimitMetrics& m = process_.metrics.limits;
  limiter_ = std::make_unique<stores::RedisLimiter>(redis_for_caches(), timers_,
                                                    stores::RedisLimiter::Options(), on_escape());
  flows::LimitingEvents events;
  events.reached = [&m](rules::Limit limit) {
    limit.type.clear();
    m.reached.add(rules::name(limit));
  };
  events.counted_here = [&m](std::size_t count) {
    m.counted_locally.add(static_cast<double>(count));
  };
  const auto on_failure = [this, &m](std::string_view step, const base::Error& error) {
    m.step_failures.add(step);
    step_failed("limits", step, error);
  };
  events.step_failed = on_failure;
  limiting_ = std::make_unique<flows::Limiting>(
      flows::Limiting::Parts{*limiter_, timers_, limit_policy(process_.config), std::move(events)});
  bursts_ = std::make_unique<flows::Bursts>(flows::Bursts::Parts{
      *limiter_, timers_, process_.config.decision.burst_window, [this](auto step, auto& error) {
        process_.metrics.limits.step_failures.add(step);
        step_failed("bursts", step, error);
      }});
  request_limiting_ = std::make_unique<flows::RequestLimiting>(flows::RequestLimiting::Parts{
      *limiter_, timers_, request_limits(process_.config),
      [&m](std::string_view limit) { m.reached.add(limit); }, on_failure});
}

}  // namespace notify::app
