#pragma once
// Plays conformance cases against the provider of one push service, over real sockets.

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "base/uuid.hpp"
#include "config/config.hpp"
#include "providers/provider.hpp"
#include "rules/conformance.hpp"

namespace notify::app {

/// The servers, as https://host:port.
struct ConformanceTargets {
  std::map<std::string, std::string> by_service;
  std::string expired;  ///< its certificate has expired; empty: there is none
};

struct ConformanceResult {
  rules::ConformanceCase played;
  std::string done;          ///< what the provider did
  std::string mismatch;      ///< what it should have done; empty: it conforms
  bool was_skipped = false;  ///< there is no server for it
};

/// Threading: one thread.
/// Lifetime:  `timers` and `rng` outlive this; stop() completes before destruction.
class ConformancePlayer {
 public:
  /// Connects to nothing yet.
  /// Errors: Errc::invalid if the service is not configured, or its target is no https:// origin.
  [[nodiscard]] static base::Expected<std::unique_ptr<ConformancePlayer>> create(
      const config::Config& config, const rules::PushService& service,
      const ConformanceTargets& targets, async::Timers& timers, base::Rng& rng);

  /// Sends one notification.
  /// Errors: Errc::unavailable if the target did not accept it, so that it plays no scripts.
  [[nodiscard]] async::Task<base::Expected<void>> greet();

  [[nodiscard]] async::Task<ConformanceResult> play(rules::ConformanceCase one);

  [[nodiscard]] async::Task<void> stop();

 private:
  /// A provider that asks one server.
  struct Actor {
    std::string origin;
    std::unique_ptr<providers::Provider> provider;
  };
  using Actors = std::map<rules::Stage, Actor>;

  ConformancePlayer(const config::Config& config, const rules::PushService& service,
                    async::Timers& timers, base::Rng& rng);

  [[nodiscard]] base::Expected<void> add(rules::Stage stage, const std::string& origin);
  [[nodiscard]] rules::Device device(const Actor& actor, std::string script, rules::Doubt doubt);
  [[nodiscard]] async::Task<rules::Outcome> send(Actor& actor, std::string script,
                                                 rules::Doubt doubt,
                                                 std::chrono::milliseconds patience);
  /// Why one of the notifications that follow a case was not taken as it should be; empty: all
  /// were.
  [[nodiscard]] async::Task<std::string> send_more(Actor& actor, std::size_t at_once);

  config::Config config_;
  const rules::PushService& service_;
  async::Timers& timers_;
  base::Rng& rng_;
  base::UuidV7Generator ids_;
  boost::asio::ip::tcp::acceptor closed_;  ///< keeps a port that refuses every connection
  Actors actors_;
};

}  // namespace notify::app
