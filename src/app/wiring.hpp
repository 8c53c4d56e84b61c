#pragma once
// From the configuration's structs to the options of the parts: the only place that knows both.

#include "clients/jwks.hpp"
#include "clients/known_users.hpp"
#include "config/config.hpp"
#include "crypto/es256.hpp"
#include "crypto/jwt.hpp"
#include "edges/grpc/caller.hpp"
#include "edges/rest/rest_server.hpp"
#include "flows/cancel.hpp"
#include "flows/deciding.hpp"
#include "flows/deliver.hpp"
#include "flows/heartbeat.hpp"
#include "flows/recover.hpp"
#include "flows/replay.hpp"
#include "flows/request_limiting.hpp"
#include "net/http2/pool.hpp"
#include "rules/limits.hpp"
#include "rules/retry.hpp"
#include "rules/validation.hpp"
#include "stores/pg_ledger.hpp"
#include "stores/pg_upkeep.hpp"
#include "stores/settings_cache.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace notify::app {

[[nodiscard]] stores::PgLedgerOptions ledger_options(const config::Config& config);
[[nodiscard]] rules::ExpiryPolicy expiry_policy(const config::Config& config);
[[nodiscard]] edges::CallerProof caller_proof(const config::Grpc& config);
[[nodiscard]] rules::TypePolicy type_policy(const config::Config& config);
[[nodiscard]] flows::DecidingPolicy deciding_policy(const config::Config& config);
/// Lifetime: `metrics` outlives what is called by the options.
[[nodiscard]] clients::KnownUsersOptions known_users_options(
    const config::Config& config, const telemetry::Log& log,
    const telemetry::DecisionMetrics& metrics);
/// Who answered, as the metrics name it.
[[nodiscard]] std::string_view lookup_label(clients::StandingFrom from);
[[nodiscard]] std::string_view lookup_label(stores::SettingsFrom from);
[[nodiscard]] rules::LimitPolicy limit_policy(const config::Config& config);
[[nodiscard]] std::vector<flows::RequestLimit> request_limits(const config::Config& config);
[[nodiscard]] rules::RetryPolicy retry_policy(const config::Config& config);
[[nodiscard]] flows::DeliverLimits deliver_limits(const config::Config& config);
[[nodiscard]] flows::HeartbeatPolicy heartbeat_policy(const config::Config& config);
[[nodiscard]] flows::RecoverPolicy recover_policy(const config::Config& config);
/// Lifetime: `log` is copied.
[[nodiscard]] stores::UpkeepOptions upkeep_options(const config::Config& config,
                                                   const telemetry::Log& log);
[[nodiscard]] flows::CancelPolicy cancel_policy(const config::Config& config);
[[nodiscard]] flows::ReplayLimits replay_limits(const config::Config& config);
[[nodiscard]] flows::ReplayEvents replay_events(const telemetry::Log& log);
/// nullptr if no keys are configured.
/// Errors: Errc::invalid for a URL or trust roots that cannot be used.
[[nodiscard]] base::Expected<std::unique_ptr<clients::KeySource>> make_key_source(
    const config::Config& config, async::Timers& timers);
/// Lifetime: `metrics` outlives what is called by the options.
[[nodiscard]] clients::Jwks::Options jwks_options(const telemetry::Log& log,
                                                  const telemetry::RestMetrics& metrics);
[[nodiscard]] crypto::JwtPolicy jwt_policy(const config::Config& config);
[[nodiscard]] edges::rest::RestOptions rest_options(const config::Config& config,
                                                    const telemetry::RestMetrics& metrics);

}  // namespace notify::app
