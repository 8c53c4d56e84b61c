#include "edges/http/listener.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace notify::edges::http {

using async::asio::ip::tcp;
using boost::system::error_code;

base::Expected<std::unique_ptr<Listener>> Listener::open(const std::string& host,
                                                         std::uint16_t port) {
  std::unique_ptr<Listener> listener(new Listener());
  Acceptor& acceptor = listener->acceptor_;
  error_code error;
  tcp::resolver resolver(listener->context_);
  const auto found = resolver.resolve(host, fmt::format("{}", port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return base::fail(base::Errc::invalid,
                      fmt::format("{} is no address: {}", host, error.message()));
  }
  const tcp::endpoint endpoint = *found.begin();
  static_cast<void>(acceptor.open(endpoint.protocol(), error));
  if (!error) static_cast<void>(acceptor.set_option(tcp::acceptor::reuse_address(true), error));
  if (!error) static_cast<void>(acceptor.bind(endpoint, error));
  if (!error) static_cast<void>(acceptor.listen(tcp::acceptor::max_listen_connections, error));
  if (error) {
    return base::fail(base::Errc::unavailable,
                      fmt::format("cannot listen on {}:{}: {}", host, port, error.message()));
  }
  return listener;
}

base::Expected<Listener::Acceptor> Listener::share(const async::Executor& executor) const {
  const int copy = ::dup(acceptor_.native_handle());
  if (copy < 0) return base::fail(base::Errc::overloaded, "no descriptor is left for a listener");
  Acceptor shared(executor);
  error_code error;
  static_cast<void>(shared.assign(acceptor_.local_endpoint().protocol(), copy, error));
  if (error) {
    ::close(copy);
    return base::fail(base::Errc::unavailable, "cannot share a listener: " + error.message());
  }
  return shared;
}

void Listener::close() {
  error_code ignored;
  static_cast<void>(acceptor_.close(ignored));
}

}  // namespace notify::edges::http
