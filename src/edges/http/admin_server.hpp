#pragma once
// The small HTTP server for operators and probes: /metrics, /healthz, /readyz, /version. It must
// answer while everything else is in trouble, so it has few parts and hard limits. It shows nothing
// secret, but it has no login either: bind it where only operators and probes can reach it.

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "edges/http/admin_pages.hpp"
#include "telemetry/log.hpp"

namespace notify::edges::http {

struct AdminOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 9090;  ///< 0: any free one
  std::size_t connections_max = 64;
  std::size_t header_max_bytes = 8 * 1024;
  std::chrono::milliseconds timeout{5'000};  ///< of reading a request (or idling), and of answering
};

/// Threading: the executor given, which is that of `timers`.
/// Lifetime:  `timers` and the sources outlive this; stop() completes before destruction.
/// Limits:    AdminOptions; a connection over the limit is closed at once; requests have no body.
class AdminServer {
 public:
  AdminServer(async::Executor executor, async::Timers& timers, AdminOptions options,
              AdminSources sources, const telemetry::Log& log);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  /// Listens and returns the port.
  /// Errors: Errc::invalid for a host that is no address or name, Errc::unavailable if the port is
  ///         taken or not allowed.
  [[nodiscard]] base::Expected<std::uint16_t> start();

  /// Closes all connections and waits for their end.
  [[nodiscard]] async::Task<void> stop();

 private:
  using Socket = async::asio::ip::tcp::socket;
  async::Task<void> accept_loop();
  async::Task<void> serve(Socket socket);

  async::Timers& timers_;
  AdminOptions options_;
  AdminSources sources_;
  telemetry::Log log_;
  async::asio::ip::tcp::acceptor acceptor_;
  async::TaskGroup tasks_;  // the accept loop and one task for each connection
};

}  // namespace notify::edges::http
