#include "app/wiring.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace notify::app {

using std::chrono::duration_cast;
using std::chrono::seconds;

stores::PgLedgerOptions ledger_options(const config::Config& config) {
  stores::PgLedgerOptions options;
  options.append.batches.batch_max = config.accept.batch_max;
  options.append.batches.waiting_max = config.accept.waiting_max;
  return options;
}

rules::ExpiryPolicy expiry_policy(const config::Config& config) {
  rules::ExpiryPolicy policy;
  policy.call = duration_cast<seconds>(config.expiry.call);
  policy.message = duration_cast<seconds>(config.expiry.message);
  policy.other = duration_cast<seconds>(config.expiry.other);
  policy.kept_min = duration_cast<seconds>(config.expiry.kept_min);
  return policy;
}

edges::CallerProof caller_proof(const config::Grpc& config) {
  if (config.has_certificates()) return edges::CallerProof::certificate;
  return config.forwarded_identity ? edges::CallerProof::forwarded : edges::CallerProof::none;
}

rules::TypePolicy type_policy(const config::Config& config) {
  return {.critical = config.decision.critical_types,
          .grouped = config.decision.grouped_types,
          .critical_callers = config.decision.critical_callers};
}

flows::DecidingPolicy deciding_policy(const config::Config& config) {
  return {.types = type_policy(config),
          .release_jitter = config.decision.release_jitter,
          .expiry = expiry_policy(config)};
}

clients::KnownUsersOptions known_users_options(const config::Config& config,
                                               const telemetry::Log& log,
                                               const telemetry::DecisionMetrics& metrics) {
  const config::UserService& c = config.user_service;
  clients::KnownUsersOptions options;
  options.known_ttl = c.cache_ttl;
  options.unknown_ttl = c.cache_unknown_ttl;
  options.users_max = c.cache_users;
  options.timeout = c.timeout;
  options.known_when_down = c.when_down == config::WhenDown::deliver;
  options.on_answer = [&metrics](clients::StandingFrom from) {
    metrics.user_lookups.add(lookup_label(from));
  };
  options.on_failure = [log = log.component("user_service"), &metrics](const base::Error& error) {
    metrics.user_failures.add();
    log.warn("a step failed",
             {{"step", "validate"}, {"error", error.code}, {"detail", error.detail}});
  };
  return options;
}

std::string_view lookup_label(clients::StandingFrom from) {
  switch (from) {
    case clients::StandingFrom::memory: return "cache";
    case clients::StandingFrom::service: return "user_service";
    case clients::StandingFrom::stale_memory: return "stale_cache";
    case clients::StandingFrom::policy: return "policy";
  }
  return "";
}

std::string_view lookup_label(stores::SettingsFrom from) {
  switch (from) {
    case stores::SettingsFrom::memory: return "cache";
    case stores::SettingsFrom::shared: return "redis";
    case stores::SettingsFrom::source: return "postgres";
  }
  return "";
}

namespace {

rules::LimitWindow window_of(const config::Rate& rate) {
  return *std::find_if(std::begin(rules::kLimitWindows), std::end(rules::kLimitWindows),
                       [&](rules::LimitWindow one) { return rules::length(one) == rate.window; });
}

rules::Limit to_limit(rules::LimitSubject subject, const config::Rate& rate, std::string type) {
  return {subject, window_of(rate), static_cast<std::int64_t>(rate.count), std::move(type)};
}

}  // namespace

rules::LimitPolicy limit_policy(const config::Config& config) {
  const config::Limits& c = config.limits;
  rules::LimitPolicy policy;
  const auto add = [&policy](rules::LimitSubject subject, const std::vector<config::Rate>& rates) {
    for (const config::Rate& rate : rates) policy.all.push_back(to_limit(subject, rate, ""));
  };
  add(rules::LimitSubject::user, c.user);
  add(rules::LimitSubject::conversation, c.conversation);
  add(rules::LimitSubject::device, c.device);
  add(rules::LimitSubject::caller, c.caller);
  add(rules::LimitSubject::ip, c.ip);
  for (const config::TypeRate& one : c.types) {
    const auto subject = rules::parse_limit_subject(one.subject);
    if (subject) policy.all.push_back(to_limit(*subject, one.rate, one.type));
  }
  const bool refuses = c.over == config::OverLimit::refuse;
  policy.over = refuses ? rules::OverLimit::refuse : rules::OverLimit::suppress;
  return policy;
}

std::vector<flows::RequestLimit> request_limits(const config::Config& config) {
  std::vector<flows::RequestLimit> limits;
  const auto add = [&limits](flows::RequestLimit::Of of, const std::vector<config::Rate>& rates) {
    for (const config::Rate& rate : rates) {
      limits.push_back({of, window_of(rate), static_cast<std::int64_t>(rate.count)});
    }
  };
  add(flows::RequestLimit::Of::user, config.limits.rest_user);
  add(flows::RequestLimit::Of::ip, config.limits.rest_ip);
  return limits;
}

rules::RetryPolicy retry_policy(const config::Config& config) {
  rules::RetryPolicy policy;
  policy.delays.clear();
  const std::vector<config::Duration>& delays = config.deliver.retry_delays;
  for (std::size_t i = 0; i < config.deliver.retry_max && !delays.empty(); ++i) {
    policy.delays.push_back(delays[std::min(i, delays.size() - 1)]);
  }
  return policy;
}

flows::DeliverLimits deliver_limits(const config::Config& config) {
  flows::DeliverLimits limits;
  limits.lease_max = config.deliver.lease_max;
  limits.in_flight_max = config.deliver.in_flight_max;
  limits.devices_timeout = config.auth_service.timeout;
  limits.brake.share = config.deliver.brake_share;
  limits.brake.report_delay = config.deliver.report_delay;
  limits.breaker.share =
      std::max<std::size_t>(1, limits.in_flight_max * config.deliver.server_share / 100);
  return limits;
}

flows::HeartbeatPolicy heartbeat_policy(const config::Config& config) {
  return {.interval = config.recover.heartbeat_interval,
          .timeout = config.recover.heartbeat_timeout};
}

flows::RecoverPolicy recover_policy(const config::Config& config) {
  flows::RecoverPolicy policy;
  policy.takeover_interval = config.recover.heartbeat_interval;
  policy.sweep_interval = config.recover.sweep_interval;
  policy.overlap = config.recover.sweep_interval + config.recover.heartbeat_timeout;
  return policy;
}

stores::UpkeepOptions upkeep_options(const config::Config& config, const telemetry::Log& log) {
  stores::UpkeepOptions options;
  options.retention = {.history = config.retention.history,
                       .attempts = config.retention.attempts,
                       .interactions = config.retention.interactions,
                       .audit = config.retention.audit,
                       .replays = config.retention.replays,
                       .idempotency_keys = config.retention.idempotency_keys};
  options.on_dropped = [log = log.component("upkeep")](std::string_view partition) {
    log.info("dropped a partition that was kept long enough", {{"partition", partition}});
  };
  return options;
}

flows::CancelPolicy cancel_policy(const config::Config& config) {
  flows::CancelPolicy policy;
  policy.wait = config.cancel.wait;
  return policy;
}

flows::ReplayLimits replay_limits(const config::Config& config) {
  flows::ReplayLimits limits;
  limits.lead = config.recover.sweep_interval;
  return limits;
}

flows::ReplayEvents replay_events(const telemetry::Log& log) {
  const telemetry::Log component = log.component("replay");
  return {
      .ended =
          [component](const flows::ReplayRequest& request, const flows::ReplayProgress& progress) {
            const std::string job = progress.job.to_string();
            component.info("a replay ended", {{"job", job},
                                              {"state", flows::name(progress.state)},
                                              {"dry_run", request.dry_run},
                                              {"matched", progress.matched},
                                              {"replayed", progress.counts.replayed},
                                              {"expired", progress.counts.expired}});
          },
      .step_failed =
          [component](std::string_view step, const base::Error& error) {
            component.warn("a step failed",
                           {{"step", step}, {"error", error.code}, {"detail", error.detail}});
          },
  };
}

base::Expected<std::unique_ptr<clients::KeySource>> make_key_source(const config::Config& config,
                                                                    async::Timers& timers) {
  using Source = std::unique_ptr<clients::KeySource>;
  const config::Http& http = config.http;
  if (!http.jwks_file.empty()) return Source(std::make_unique<clients::KeyFile>(http.jwks_file));
  if (http.jwks_url.empty()) return Source();
  auto url = clients::KeyUrl::create(timers, http.jwks_url.reveal(), http.jwks_ca_file);
  if (!url) return base::fail(base::Errc::invalid, "http.jwks_url: " + url.error().detail);
  return Source(std::move(*url));
}

clients::Jwks::Options jwks_options(const telemetry::Log& log,
                                    const telemetry::RestMetrics& metrics) {
  clients::Jwks::Options options;
  options.on_fetched = [log = log.component("rest"),
                        &metrics](const base::Expected<std::size_t>& keys) {
    metrics.key_fetches.add(keys ? "done" : "failed");
    if (keys) return;
    log.warn("the keys of users' tokens could not be fetched",
             {{"error", keys.error().code}, {"detail", keys.error().detail}});
  };
  return options;
}

crypto::JwtPolicy jwt_policy(const config::Config& config) {
  return {config.http.jwt_issuer, config.http.jwt_audience, config.http.jwt_leeway};
}

edges::rest::RestOptions rest_options(const config::Config& config,
                                      const telemetry::RestMetrics& metrics) {
  edges::rest::RestOptions options;
  options.connections_max = config.http.connections_max;
  options.request_max_bytes = config.http.request_max_bytes.count;
  options.request_timeout = config.http.request_timeout;
  options.on_done = [&metrics](unsigned status, std::chrono::nanoseconds took) {
    metrics.results.add(std::to_string(status));
    metrics.latency.observe(took);
  };
  return options;
}

}  // namespace notify::app
