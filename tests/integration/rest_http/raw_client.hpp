#pragma once
// A client that sends bytes and reads bytes.

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "base/async/task.hpp"

namespace notify::rest_test {

class RawClient {
 public:
  RawClient(async::asio::io_context& context, std::uint16_t port) : socket_(context) {
    socket_.connect({async::asio::ip::make_address("127.0.0.1"), port});
  }
  async::Task<void> send(std::string bytes) {
    co_await async::asio::async_write(socket_, async::asio::buffer(bytes), async::kUseAwaitable);
  }
  /// All until the server closes the connection.
  async::Task<std::string> read_all() {
    std::string text;
    boost::system::error_code error;
    co_await async::asio::async_read(socket_, async::asio::dynamic_buffer(text),
                                     async::asio::redirect_error(async::kUseAwaitable, error));
    co_return text;
  }
  /// One answer, as long as its Content-Length says.
  async::Task<std::string> read_answer() {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      std::array<char, 1> byte{};
      co_await socket_.async_read_some(async::asio::buffer(byte), async::kUseAwaitable);
      text += byte[0];
      if (wanted != std::string::npos || !text.ends_with("\r\n\r\n")) continue;
      const std::size_t at = text.find("Content-Length: ");
      wanted = text.size() + (at == text.npos ? 0 : std::stoul(text.substr(at + 16)));
    }
    co_return text;
  }

 private:
  async::asio::ip::tcp::socket socket_;
};

}  // namespace notify::rest_test
