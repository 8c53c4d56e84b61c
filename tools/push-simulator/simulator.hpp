#pragma once
// All parts of the simulator, built, started and stopped in order.

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <optional>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/rng.hpp"
#include "push-simulator/apns_endpoint.hpp"
#include "push-simulator/auth_service.hpp"
#include "push-simulator/browser_server.hpp"
#include "push-simulator/control_server.hpp"
#include "push-simulator/fcm_server.hpp"
#include "push-simulator/options.hpp"
#include "push-simulator/provider_server.hpp"
#include "push-simulator/user_service.hpp"
#include "push-simulator/web_push_endpoint.hpp"

namespace notify::simulator {

struct Ports {
  std::uint16_t apns = 0;
  std::uint16_t fcm = 0;
  std::uint16_t webpush = 0;
  std::uint16_t expired = 0;  ///< no client comes past its certificate
  std::uint16_t browser = 0;
  std::uint16_t auth = 0;
  std::uint16_t control = 0;
};

/// Threading: the one that runs `context`, and gRPC's own.
/// Lifetime:  `context` outlives this; stop() completes before destruction.
class Simulator {
 public:
  /// `key` is what provider tokens are checked against; `log` is absent with --no-received-log.
  Simulator(boost::asio::io_context& context, const Options& options, KeyHandle key,
            std::optional<ReceivedLog> log);

  [[nodiscard]] base::Expected<Ports> start(const ServerIdentity& identity);
  [[nodiscard]] async::Task<void> stop();

 private:
  static async::Task<void> flush_loop(Simulator& simulator);
  [[nodiscard]] ReceivedLog* log() { return log_ ? &*log_ : nullptr; }

  Options options_;
  base::SystemClock clock_;
  base::SeededRng rng_;
  async::Timers timers_;
  Registry registry_;
  FaultBook faults_;
  Ledger ledger_;
  Ledger webpush_ledger_;
  std::optional<ReceivedLog> log_;
  ProviderTokenChecker tokens_;
  ApnsRules rules_;
  ApnsEndpoint apns_endpoint_;
  FcmServer fcm_;
  Subscriptions subscriptions_;
  Browsers browsers_;
  WebPushRules webpush_rules_;
  WebPushEndpoint webpush_endpoint_;
  AuthStats auth_stats_;
  CallStats user_calls_;
  UnknownUsers unknown_users_;
  ControlApi control_api_;
  UserService user_;
  AuthService auth_;
  ProviderServer apns_;
  ProviderServer webpush_;
  ProviderServer expired_;
  BrowserServer browser_server_;
  ControlServer control_;
  async::TaskGroup tasks_;
};

}  // namespace notify::simulator
