#pragma once
// Listening addresses, as text and as sockets.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "base/expected.hpp"

namespace notify::simulator {

/// `127.0.0.1:0`, `[::1]:8080` or `localhost:0`. Errors: invalid.
[[nodiscard]] base::Expected<boost::asio::ip::tcp::endpoint> parse_listen(const std::string& text);

/// Opens, binds and listens; the port that was taken. Errors: unavailable, naming the address.
[[nodiscard]] base::Expected<std::uint16_t> listen_on(
    boost::asio::ip::tcp::acceptor& acceptor, const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace notify::simulator
