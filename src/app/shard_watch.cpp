// What a shard says about itself, once a second: in /readyz what it rests on, in /metrics its pools
// and queues.

#include <algorithm>
#include <utility>

#include "app/shard.hpp"
#include "stores/pg_clock.hpp"
#include "stores/readiness.hpp"

namespace notify::app {
namespace {

constexpr std::chrono::seconds kLookMax{1};
constexpr std::chrono::seconds kWriteMax{3};

}  // namespace

/// Looks once a second at what the service rests on, and says so in /readyz and /metrics.
async::Task<void> Shard::watch() {
  for (;;) {
    co_await look_at_postgres();
    co_await look_at_redis();
    co_await look_at_others();
    co_await look_at_queue();
    publish();
    co_await timers_.sleep_for(std::chrono::seconds(1));
  }
}

async::Task<void> Shard::look_at_postgres() {
  // Two seconds: beyond that ids and rows tell different times (D-5).
  constexpr std::chrono::milliseconds kOffsetMax{2000};
  using enum telemetry::HealthState;
  const auto offset = co_await stores::clock_offset(*pg_, process_.clock, timers_.after(kLookMax));
  if (!offset) {
    reporters_.postgres.set(down, offset.error().detail);
    co_return;
  }
  const bool close = *offset<kOffsetMax&& * offset> - kOffsetMax;
  clock_is_right_ = close;
  reporters_.clock.set(close ? ok : down,
                       std::to_string(offset->count()) + " ms ahead of the database");
  co_await look_at_schema();
  // By the way that accepting goes, with its patience: a commit that takes long is no failure.
  const auto written = co_await stores::try_write(*pg_intake_, timers_.after(kWriteMax));
  reporters_.postgres.set(written ? ok : down,
                          written ? "" : "no write: " + written.error().detail);
}

async::Task<void> Shard::look_at_schema() {
  using enum telemetry::HealthState;
  constexpr std::string_view kNewest = NOTIFY_SCHEMA_CHANGE;
  const auto has = co_await stores::schema_has(*pg_, kNewest, timers_.after(kLookMax));
  if (!has) {
    reporters_.schema.set(down, has.error().detail);
  } else if (*has) {
    reporters_.schema.set(ok);
  } else {
    reporters_.schema.set(down, "too old: the change " + std::string(kNewest) +
                                    " is not deployed; run notification-service migrate");
  }
}

async::Task<void> Shard::look_at_redis() {
  using enum telemetry::HealthState;
  const auto written = co_await stores::try_write(*redis_, timers_.after(kLookMax));
  if (!written) {
    reporters_.redis.set(degraded, "no write: " + written.error().detail);
  } else if (heartbeat_->lease_term() == 0) {
    reporters_.redis.set(degraded, "no heartbeat has succeeded lately: nothing is leased here");
  } else {
    reporters_.redis.set(ok);
  }
  if (!redis_cache_) co_return;
  const auto cached = co_await stores::try_write(*redis_cache_, timers_.after(kLookMax));
  reporters_.redis_cache->set(cached ? ok : degraded,
                              cached ? "" : "no write: " + cached.error().detail);
}

async::Task<void> Shard::look_at_others() {
  using enum telemetry::HealthState;
  const auto auth = co_await auth_->check_health(timers_.after(std::chrono::seconds(1)));
  reporters_.auth_service.set(auth ? ok : degraded, auth ? "" : auth.error().detail);
  if (!reporters_.user_service) co_return;
  // By what came of the last questions: it is asked no other.
  const bool users_down = known_users_->is_down();
  reporters_.user_service->set(users_down ? degraded : ok, users_down ? "does not answer" : "");
}

void Shard::publish() {
  const telemetry::Metrics& m = process_.metrics;
  const auto snapshot = [](const pg::PoolCounters& pool) {
    return ClientShare::Snapshot{.operations = pool.queries,
                                 .errors = pool.errors,
                                 .reconnects = pool.reconnects,
                                 .connections = pool.connected,
                                 .in_flight = pool.in_flight};
  };
  published_.pg_intake.add(m.pg, snapshot(pg_intake_->counters()));
  published_.pg.add(m.pg, snapshot(pg_->counters()));
  published_.pg_background.add(m.pg, snapshot(pg_background_->counters()));
  const auto snapshot_of = [](const redis::ClientCounters& redis) {
    return ClientShare::Snapshot{.operations = redis.commands,
                                 .errors = redis.errors,
                                 .reconnects = redis.reconnects,
                                 .connections = redis.connected,
                                 .in_flight = redis.in_flight};
  };
  published_.redis.add(m.redis, snapshot_of(redis_->counters()));
  if (redis_cache_) published_.redis_cache.add(m.redis, snapshot_of(redis_cache_->counters()));
  for (std::size_t i = 0; i < providers_.size(); ++i) {
    const http2::PoolCounters now = providers_[i]->counters();
    const std::uint64_t reopened =
        now.connections_opened - std::min<std::uint64_t>(now.connections_opened, 1);
    published_.providers[i].add(m.http2, {.operations = now.traffic.write_calls,
                                          .errors = now.refused + now.traffic.timeouts,
                                          .reconnects = reopened,
                                          .connections = now.connections_open,
                                          .in_flight = now.streams_open});
  }
  const std::size_t in_flight = deliver_->in_flight();
  m.deliver.in_flight.add(static_cast<double>(in_flight) -
                          static_cast<double>(std::exchange(published_.in_flight, in_flight)));
}

/// Shards share a metric, so each adds what has changed since it last did.
void Shard::ClientShare::add(const telemetry::ClientMetrics& metrics, const Snapshot& now) {
  const auto change = [](std::uint64_t to, std::uint64_t from) {
    return static_cast<double>(to) - static_cast<double>(from);
  };
  metrics.operations.add(change(now.operations, before.operations));
  metrics.errors.add(change(now.errors, before.errors));
  metrics.reconnects.add(change(now.reconnects, before.reconnects));
  metrics.connections.add(change(now.connections, before.connections));
  metrics.in_flight.add(change(now.in_flight, before.in_flight));
  before = now;
}

async::Task<void> Shard::look_at_queue() {
  const auto depths = co_await queue_->depths(timers_.after(std::chrono::seconds(1)));
  const telemetry::QueueMetrics& m = process_.metrics.queue;
  if (!depths) {
    m.step_failures.add("depths");
    co_return;
  }
  m.high.set(static_cast<double>(depths->items[0]));
  m.medium.set(static_cast<double>(depths->items[1]));
  m.low.set(static_cast<double>(depths->items[2]));
  m.unreadable.set(static_cast<double>(depths->unreadable));
}

}  // namespace notify::app
