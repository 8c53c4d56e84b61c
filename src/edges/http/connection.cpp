#include "edges/http/connection.hpp"

#include <array>
#include <boost/beast/http.hpp>

namespace notify::edges::http {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

async::Task<error_code> write(Socket& socket, Response& response, BodyIs body) {
  error_code error;
  bhttp::response_serializer<bhttp::string_body> serializer(response);
  if (body == BodyIs::left_out) {
    co_await bhttp::async_write_header(socket, serializer, returning(error));
  } else {
    co_await bhttp::async_write(socket, serializer, returning(error));
  }
  co_return error;
}

async::Task<void> say_goodbye(Socket& socket) {
  error_code error;
  static_cast<void>(socket.shutdown(Socket::shutdown_send, error));
  std::array<char, 4096> rest{};
  for (int reads = 0; reads < 16 && !error; ++reads) {
    co_await socket.async_read_some(asio::buffer(rest), returning(error));
  }
}

std::optional<Unreadable> unreadable(const error_code& error) {
  const bool too_long =
      error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow;
  if (too_long) return Unreadable{431, "the header is too large"};
  if (error == bhttp::error::body_limit) return Unreadable{413, "the body is too large"};
  const bool gone = error == bhttp::error::end_of_stream || error == bhttp::error::partial_message;
  if (gone || error.category() != bhttp::make_error_code(bhttp::error::bad_value).category()) {
    return std::nullopt;
  }
  return Unreadable{400, "this is not a valid HTTP request"};
}

}  // namespace notify::edges::http
