#pragma once
// All of Google's side: the token server and FCM on one port, and the service account with which a
// client may use them.

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "base/rng.hpp"
#include "push-simulator/certificates.hpp"
#include "push-simulator/fcm_endpoint.hpp"
#include "push-simulator/provider_server.hpp"

namespace notify::simulator {

/// Threading: one executor.
/// Lifetime:  everything referred to outlives this; stop() completes before destruction.
class FcmServer {
 public:
  struct Options {
    boost::asio::ip::tcp::endpoint listen;
    std::string project_id = "whispr-test";
    std::chrono::seconds token_lifetime{3600};
    std::uint32_t max_streams = 100;  ///< as Google's servers allow
  };
  struct Parts {
    FaultBook& faults;
    ReceivedLog* log = nullptr;
    const base::Clock& clock;
    base::Rng& rng;
  };

  FcmServer(async::Timers& timers, const FcmTargets& targets, const Parts& parts, Options options,
            Detail detail);

  /// Listens, and writes `fcm-service-account.json` into the directory. Its key is kept in
  /// `fcm-key.pem`, for the next start.
  /// Errors: unavailable if the port is taken or a file cannot be written; invalid if the key file
  ///         holds something else.
  [[nodiscard]] base::Expected<std::uint16_t> start(const ServerIdentity& identity,
                                                    const std::filesystem::path& directory);
  [[nodiscard]] async::Task<void> stop() { return server_.stop(); }
  [[nodiscard]] Ledger& ledger() { return ledger_; }

 private:
  Options options_;
  Ledger ledger_;
  OauthServer oauth_;
  FcmRules rules_;
  FcmEndpoint endpoint_;
  ProviderServer server_;
};

}  // namespace notify::simulator
