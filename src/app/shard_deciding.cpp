// What a shard's decisions go by: what users want, and whether they exist.

#include "app/shard.hpp"
#include "app/wiring.hpp"

namespace notify::app {

void Shard::wire_users() {
  const config::Config& c = process_.config;
  if (c.user_service.address.empty()) return;
  user_service_ = std::make_unique<clients::UserClient>(
      to_string(c.user_service.address), timers_.executor(), client_pump_->queue(), process_.clock);
  known_users_ = std::make_unique<clients::KnownUsers>(
      *user_service_, timers_, rng_,
      known_users_options(c, process_.log, process_.metrics.decision), on_escape());
}

void Shard::wire_deciding() {
  const config::Config& c = process_.config;
  const telemetry::DecisionMetrics& m = process_.metrics.decision;
  settings_ = std::make_unique<stores::PgSettings>(*pg_);
  stores::SettingsCacheOptions options;
  options.users_max = c.settings.cache_users;
  shared_settings_ = std::make_unique<stores::RedisSettings>(redis_for_caches());
  settings_cache_ = std::make_unique<stores::SettingsCache>(
      *settings_, *shared_settings_, timers_, options,
      stores::SettingsCacheEvents{
          [&m](stores::SettingsFrom from) { m.settings_lookups.add(lookup_label(from)); },
          [this, &m](std::string_view step, const base::Error& error) {
            m.step_failures.add(step);
            step_failed("settings", step, error);
          }},
      on_escape());
  deciding_ = std::make_unique<flows::Deciding>(
      flows::Deciding::Parts{*settings_cache_, process_.clock, deciding_policy(c),
                             flows::DecidingEvents{[&m](const rules::Decision& decision) {
                               m.verdicts.add(rules::name(decision.verdict));
                               if (decision.by) m.rules.add(rules::name(*decision.by));
                             }},
                             known_users_.get()});
  preferences_ = std::make_unique<flows::Preferences>(
      flows::Preferences::Parts{*settings_, *ledger_, *audit_, ids_, process_.clock,
                                [this, &m](std::string_view step, const base::Error& error) {
                                  m.step_failures.add(step);
                                  step_failed("settings", step, error);
                                }});
}

}  // namespace notify::app
