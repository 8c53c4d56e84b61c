#pragma once
// From the configuration's structs to the options of the parts: the only place that knows both.

#include "config/config.hpp"
#include "crypto/es256.hpp"
#include "flows/deciding.hpp"
#include "flows/deliver.hpp"
#include "flows/heartbeat.hpp"
#include "flows/recover.hpp"
#include "flows/replay.hpp"
#include "net/http2/pool.hpp"
#include "rules/retry.hpp"
#include "rules/validation.hpp"
#include "stores/pg_ledger.hpp"
#include "telemetry/log.hpp"

namespace notify::app {

[[nodiscard]] stores::PgLedgerOptions ledger_options(const config::Config& config);
[[nodiscard]] http2::PoolOptions apns_pool_options(const config::Config& config);
/// Errors: Errc::invalid if the file cannot be read or holds no P-256 key.
[[nodiscard]] base::Expected<crypto::Es256Key> read_apns_key(const config::Config& config);
[[nodiscard]] rules::ExpiryPolicy expiry_policy(const config::Config& config);
[[nodiscard]] flows::DecidingPolicy deciding_policy(const config::Config& config);
[[nodiscard]] rules::RetryPolicy retry_policy(const config::Config& config);
[[nodiscard]] flows::DeliverLimits deliver_limits(const config::Config& config);
[[nodiscard]] flows::HeartbeatPolicy heartbeat_policy(const config::Config& config);
[[nodiscard]] flows::RecoverPolicy recover_policy(const config::Config& config);
[[nodiscard]] flows::ReplayLimits replay_limits(const config::Config& config);
[[nodiscard]] flows::ReplayEvents replay_events(const telemetry::Log& log);

}  // namespace notify::app
