#include "push-simulator/listen.hpp"

#include <boost/asio/as_tuple.hpp>
#include <charconv>
#include <utility>

namespace notify::simulator {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::Errc;
using base::Expected;
using base::fail;

Expected<tcp::endpoint> parse_listen(const std::string& text) {
  const std::string wrong = "'" + text + "' is no address such as 127.0.0.1:0";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return fail(Errc::invalid, wrong);
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, bad_port] = std::from_chars(text.data() + colon + 1, end, port);
  if (bad_port != std::errc() || stop != end) return fail(Errc::invalid, wrong);

  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return fail(Errc::invalid, wrong);
  return tcp::endpoint(address, port);
}

Expected<std::uint16_t> listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    return fail(Errc::unavailable, "cannot listen on " + endpoint.address().to_string() + ":" +
                                       std::to_string(endpoint.port()) + ": " + error.message());
  }
  return acceptor.local_endpoint().port();
}

async::Task<void> accept_each(tcp::acceptor& acceptor, async::Timers& timers,
                              std::function<void(tcp::socket)> on_socket) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(async::kUseAwaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // no file descriptors left, most likely: let others finish first
      co_await timers.sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    on_socket(std::move(socket));
  }
}

}  // namespace notify::simulator
