#pragma once
// What the HTTP servers of this process have in common on a connection.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string_view>

#include "base/async/task.hpp"

namespace notify::edges::http {

using Socket = async::asio::ip::tcp::socket;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

/// Makes an operation return its error instead of throwing it.
[[nodiscard]] inline auto returning(boost::system::error_code& error) {
  return async::asio::redirect_error(async::kUseAwaitable, error);
}

enum class BodyIs { sent, left_out };

/// Cancel: throws operation_aborted.
[[nodiscard]] async::Task<boost::system::error_code> write(Socket& socket, Response& response,
                                                           BodyIs body);

/// Closing a socket with unread bytes in it resets the connection, and the peer may lose an answer
/// it has not read yet. So: read what is left, up to a bound, until the peer has closed.
[[nodiscard]] async::Task<void> say_goodbye(Socket& socket);

/// What to tell a peer whose request could not be read.
struct Unreadable {
  unsigned status;
  std::string_view what;
};
/// nullopt if the peer is gone, or too slow, and there is nobody to tell.
[[nodiscard]] std::optional<Unreadable> unreadable(const boost::system::error_code& error);

}  // namespace notify::edges::http
