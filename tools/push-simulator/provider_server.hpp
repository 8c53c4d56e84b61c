#pragma once
// A push provider on a socket: TLS with ALPN h2, one ProviderConnection for each client, all on one
// thread.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "push-simulator/certificates.hpp"
#include "push-simulator/provider_endpoint.hpp"

namespace notify::simulator {

/// Threading: one executor.
/// Lifetime:  `endpoint` and `timers` outlive this; stop() completes before destruction.
class ProviderServer {
 public:
  struct Options {
    boost::asio::ip::tcp::endpoint listen;
    std::uint32_t max_streams = 1000;
    /// Streams at once until a request opens the gate (APNs: 1); max_streams: no gate.
    std::uint32_t first_streams = 1000;
  };

  ProviderServer(async::Timers& timers, ProviderEndpoint& endpoint, const Options& options);

  /// Binds and begins to accept. Errors: unavailable if the port is taken; invalid if TLS fails.
  [[nodiscard]] base::Expected<std::uint16_t> start(const ServerIdentity& identity);
  [[nodiscard]] async::Task<void> stop();

 private:
  void on_socket(boost::asio::ip::tcp::socket socket);

  async::Timers& timers_;
  ProviderEndpoint& endpoint_;
  Options options_;
  boost::asio::ssl::context tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint64_t connections_ = 0;
  async::TaskGroup tasks_;
};

}  // namespace notify::simulator
