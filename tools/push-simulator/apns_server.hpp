#pragma once
// APNs on a socket: TLS with ALPN h2, one ApnsConnection for each client, all on one thread.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "push-simulator/apns_endpoint.hpp"
#include "push-simulator/certificates.hpp"

namespace notify::simulator {

/// Threading: one executor.
/// Lifetime:  `endpoint` and `timers` outlive this; stop() completes before destruction.
class ApnsServer {
 public:
  struct Options {
    boost::asio::ip::tcp::endpoint listen;
    std::uint32_t max_streams = 1000;  ///< of a connection that has shown a valid token
  };

  ApnsServer(async::Timers& timers, ApnsEndpoint& endpoint, const Options& options);

  /// Binds and begins to accept. Errors: unavailable if the port is taken; invalid if TLS fails.
  [[nodiscard]] base::Expected<std::uint16_t> start(const ServerIdentity& identity);
  [[nodiscard]] async::Task<void> stop();

 private:
  static async::Task<void> accept_loop(ApnsServer& server);

  async::Timers& timers_;
  ApnsEndpoint& endpoint_;
  Options options_;
  boost::asio::ssl::context tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint64_t connections_ = 0;
  async::TaskGroup tasks_;
};

}  // namespace notify::simulator
