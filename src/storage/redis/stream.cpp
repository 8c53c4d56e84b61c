#include "storage/redis/stream.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "net/tls/transport.hpp"

namespace notify::redis {

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using async::Task;
using base::Errc;
using base::Expected;
using boost::system::error_code;

class NetStream final : public Stream {
 public:
  explicit NetStream(std::unique_ptr<net::Transport> transport)
      : transport_(std::move(transport)) {}

  Task<Expected<std::size_t>> read(std::span<char> into) override { return transport_->read(into); }
  Task<Expected<std::size_t>> write(std::string_view bytes) override {
    return transport_->write(bytes);
  }
  void close() override { transport_->close(); }

 private:
  std::unique_ptr<net::Transport> transport_;
};

Expected<std::size_t> moved_or(const error_code& error, std::size_t bytes) {
  if (error == asio::error::operation_aborted) return base::fail(Errc::cancelled, "closed here");
  if (error) return base::fail(Errc::unavailable, error.message());
  return bytes;
}

class UnixStream final : public Stream {
 public:
  explicit UnixStream(stream_protocol::socket socket) : socket_(std::move(socket)) {}

  Task<Expected<std::size_t>> read(std::span<char> into) override {
    error_code error;
    const std::size_t bytes = co_await socket_.async_read_some(
        asio::buffer(into.data(), into.size()), asio::redirect_error(async::kUseAwaitable, error));
    co_return moved_or(error, bytes);
  }
  Task<Expected<std::size_t>> write(std::string_view data) override {
    error_code error;
    const std::size_t bytes = co_await asio::async_write(
        socket_, asio::buffer(data), asio::redirect_error(async::kUseAwaitable, error));
    co_return moved_or(error, bytes);
  }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  stream_protocol::socket socket_;
};

}  // namespace

Task<Expected<std::shared_ptr<Stream>>> open_stream(async::Timers& timers, Address address,
                                                    const net::TlsContext* tls,
                                                    std::chrono::milliseconds timeout) {
  if (!address.is_unix()) {
    auto transport = co_await net::Transport::connect(
        timers, net::Endpoint{address.host, address.port}, tls,
        net::ConnectTimeouts{.resolve = timeout, .connect = timeout, .handshake = timeout});
    if (!transport) co_return base::fail(std::move(transport.error()));
    co_return std::shared_ptr<Stream>(std::make_shared<NetStream>(std::move(*transport)));
  }
  if (address.unix_path.size() > 107) {  // sockaddr_un; Asio throws on a longer one
    co_return base::fail(Errc::invalid, "the path of the unix socket is too long");
  }
  stream_protocol::socket socket(timers.executor());
  error_code error;
  // Connecting to a unix socket does not wait: it succeeds, or fails, at once.
  co_await socket.async_connect(stream_protocol::endpoint(address.unix_path),
                                asio::redirect_error(async::kUseAwaitable, error));
  if (error) co_return base::fail(Errc::unavailable, "connect: " + error.message());
  co_return std::shared_ptr<Stream>(std::make_shared<UnixStream>(std::move(socket)));
}

}  // namespace notify::redis
