#pragma once
// HTTP/1.1 for the control port: a Beast shell around ControlApi.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "push-simulator/control_api.hpp"

namespace notify::simulator {

/// Threading: one executor, that of the ProviderServers.
/// Lifetime:  `api` and `timers` outlive this; stop() completes before destruction.
/// Limits:    a request body of 64 MiB; a connection is closed after a minute of silence.
class ControlServer {
 public:
  ControlServer(async::Timers& timers, ControlApi& api);

  /// Errors: unavailable if the address is taken.
  [[nodiscard]] base::Expected<std::uint16_t> start(const boost::asio::ip::tcp::endpoint& listen);
  [[nodiscard]] async::Task<void> stop();

 private:
  void on_socket(boost::asio::ip::tcp::socket socket);

  async::Timers& timers_;
  ControlApi& api_;
  boost::asio::ip::tcp::acceptor acceptor_;
  async::TaskGroup tasks_;
};

}  // namespace notify::simulator
