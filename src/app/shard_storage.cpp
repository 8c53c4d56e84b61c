// A shard's connections to the databases, and the stores on PostgreSQL.

#include "app/shard.hpp"
#include "app/wiring.hpp"

namespace notify::app {

using base::Expected;
using base::fail;

std::unique_ptr<pg::Pool> Shard::make_pg_pool(pg::PoolOptions options) {
  const config::Postgres& c = process_.config.postgres;
  options.on_event = on_event("postgres");
  return std::make_unique<pg::Pool>(timers_, rng_, base::Secret(std::string(c.url.reveal())),
                                    std::move(options), on_escape());
}

/// Work that callers wait for has two pools, one of them for accepting. Work that may take seconds
/// has the third one, whose connections do one thing at a time: nothing stands behind a sweep.
void Shard::make_pg_pools() {
  const config::Postgres& c = process_.config.postgres;
  pg_intake_ = make_pg_pool({.connections = c.connections / 2, .plans = pg::Plans::generic});
  pg_ = make_pg_pool({.connections = c.connections / 2, .plans = pg::Plans::custom});
  pg_background_ = make_pg_pool(
      {.connections = c.background_connections, .in_flight_max = 1, .plans = pg::Plans::custom});
}

Expected<std::unique_ptr<redis::Client>> Shard::make_redis_client(const config::Url& where) {
  auto url = redis::parse_url(base::Secret(std::string(where.reveal())));
  if (!url) return fail(std::move(url).error());
  redis::ClientOptions options;
  options.ca_file = process_.config.redis.ca_file;
  options.on_event = on_event("redis");
  return redis::Client::create(timers_, rng_, std::move(*url), std::move(options), on_escape());
}

Expected<void> Shard::make_redis_clients() {
  const config::Redis& c = process_.config.redis;
  auto queue = make_redis_client(c.url);
  if (!queue) return fail(std::move(queue).error());
  redis_ = std::move(*queue);
  if (c.cache_url.empty()) return {};
  auto cache = make_redis_client(c.cache_url);
  if (!cache) return fail(std::move(cache).error());
  redis_cache_ = std::move(*cache);
  return {};
}

redis::Client& Shard::redis_for_caches() { return redis_cache_ ? *redis_cache_ : *redis_; }

Expected<void> Shard::wire_storage() {
  const config::Config& c = process_.config;
  make_pg_pools();
  if (auto made = make_redis_clients(); !made) return made;
  ledger_ = std::make_unique<stores::PgLedger>(*pg_intake_, *pg_, timers_, ledger_options(c),
                                               on_escape());
  history_ = std::make_unique<stores::PgHistory>(
      stores::PgHistory::Pools{.urgent = *pg_, .heavy = *pg_background_}, process_.clock,
      c.retention.history);
  backlog_ = std::make_unique<stores::PgBacklog>(*pg_background_);
  upkeep_ =
      std::make_unique<stores::PgUpkeep>(*pg_background_, timers_, upkeep_options(c, process_.log));
  letters_ = std::make_unique<stores::PgDeadLetters>(*pg_background_);
  audit_ = std::make_unique<stores::PgAudit>(*pg_);
  templates_ = std::make_unique<stores::PgTemplates>(*pg_);
  template_cache_ = std::make_unique<stores::TemplateCache>(*templates_, timers_,
                                                            stores::TemplateCache::Options{});
  wire_queue();
  return {};
}

}  // namespace notify::app
