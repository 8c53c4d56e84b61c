#pragma once
// A port that is listened on, for one server or, with one queue of connections, for the workers of
// a process: whichever of them is idle accepts the next connection.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/async/task.hpp"
#include "base/expected.hpp"

namespace notify::edges::http {

/// Threading: one thread; the acceptors it gives away belong to their executors.
class Listener {
 public:
  using Acceptor = async::asio::ip::tcp::acceptor;

  /// Listens. Port 0: any free one.
  /// Errors: Errc::invalid for a host that is no address or name, Errc::unavailable if the port is
  ///         taken or not allowed.
  [[nodiscard]] static base::Expected<std::unique_ptr<Listener>> open(const std::string& host,
                                                                      std::uint16_t port);

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  /// One more acceptor of the same queue of connections.
  /// Errors: Errc::overloaded if the process has no descriptor left.
  [[nodiscard]] base::Expected<Acceptor> share(const async::Executor& executor) const;

  /// Connections are refused once every acceptor is closed too.
  void close();

 private:
  Listener() = default;
  mutable async::asio::io_context context_{1};  // never run: the socket needs one to belong to
  mutable Acceptor acceptor_{context_};
};

}  // namespace notify::edges::http
