#pragma once
// Where real browsers are connected: a WebSocket shell around Browsers.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <unordered_set>

#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "push-simulator/browsers.hpp"

namespace notify::simulator {

class BrowserConnection;

/// Threading: one executor, that of the ProviderServers.
/// Lifetime:  `browsers` and `timers` outlive this; stop() completes before destruction.
/// Limits:    1,000 connections; a message of 64 KiB; 256 messages that a browser has not read; ten
///            seconds for each handshake, and a minute without a sign of life.
class BrowserServer {
 public:
  BrowserServer(async::Timers& timers, Browsers& browsers);

  /// Errors: unavailable if the address is taken.
  [[nodiscard]] base::Expected<std::uint16_t> start(const boost::asio::ip::tcp::endpoint& listen);
  [[nodiscard]] async::Task<void> stop();

 private:
  friend class BrowserConnection;
  void on_socket(boost::asio::ip::tcp::socket socket);

  async::Timers& timers_;
  Browsers& browsers_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::unordered_set<BrowserConnection*> connections_;
  async::TaskGroup tasks_;
};

}  // namespace notify::simulator
