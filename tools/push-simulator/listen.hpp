#pragma once
// Listening addresses, as text and as sockets.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "base/async/timers.hpp"
#include "base/expected.hpp"

namespace notify::simulator {

/// `127.0.0.1:0`, `[::1]:8080` or `localhost:0`. Errors: invalid.
[[nodiscard]] base::Expected<boost::asio::ip::tcp::endpoint> parse_listen(const std::string& text);

/// Opens, binds and listens; the port that was taken. Errors: unavailable, naming the address.
[[nodiscard]] base::Expected<std::uint16_t> listen_on(
    boost::asio::ip::tcp::acceptor& acceptor, const boost::asio::ip::tcp::endpoint& endpoint);

/// Gives each connection to `on_socket`, until the acceptor is closed.
[[nodiscard]] async::Task<void> accept_each(
    boost::asio::ip::tcp::acceptor& acceptor, async::Timers& timers,
    std::function<void(boost::asio::ip::tcp::socket)> on_socket);

}  // namespace notify::simulator
