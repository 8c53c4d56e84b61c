#include "net/tls/transport.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "base/async/with_deadline.hpp"
#include "net/dns/lookup.hpp"
#include "net/dns/public_address.hpp"
#include "net/tls/native.hpp"

namespace notify::net {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using async::Task;
using base::Errc;
using base::Expected;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(async::kUseAwaitable);

using Endpoints = std::vector<tcp::endpoint>;
using TlsStream = ssl::stream<tcp::socket>;

/// In a phase of connect() only the deadline or the caller aborts: both are known by the exception.
void rethrow_if_aborted(const error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

base::Unexpected<base::Error> failed(std::string_view what, const error_code& error) {
  return base::fail(Errc::unavailable, std::string(what) + ": " + error.message());
}

Task<Expected<Endpoints>> resolve(async::Executor executor, Endpoint endpoint) {
  const auto addresses = co_await look_up(std::move(executor), endpoint.host);
  if (!addresses) co_return base::fail(addresses.error());
  Endpoints endpoints;
  for (const auto& address : *addresses) {
    if (endpoint.reach == Reach::public_addresses && !is_public(address)) continue;
    endpoints.emplace_back(address, endpoint.port);
  }
  if (endpoints.empty()) {
    co_return base::fail(Errc::permission_denied, "resolve: the host has no public address");
  }
  co_return endpoints;
}

Task<Expected<tcp::socket>> connect_socket(async::Executor executor, Endpoints endpoints) {
  tcp::socket socket(executor);
  const auto [error, endpoint] = co_await asio::async_connect(socket, endpoints, kTuple);
  rethrow_if_aborted(error);
  if (error) co_return failed("connect", error);
  error_code ignored;  // without it the connection is slower, not wrong
  socket.set_option(tcp::no_delay(true), ignored);
  co_return socket;
}

Expected<void> expect_host(SSL* handle, const std::string& host) {
  X509_VERIFY_PARAM* param = SSL_get0_param(handle);
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {  // RFC 6066 §3: no SNI for an address
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1) return {};
    return base::fail(Errc::internal, "OpenSSL refused the address to verify");
  }
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) != 1 ||
      SSL_set_tlsext_host_name(handle, const_cast<char*>(host.c_str())) != 1) {
    return base::fail(Errc::internal, "OpenSSL refused the host name to verify");
  }
  return {};
}

Expected<void> expect_alpn(SSL* handle, const std::string& wanted) {
  const unsigned char* chosen = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(handle, &chosen, &length);
  if (std::equal(wanted.begin(), wanted.end(), chosen, chosen + length)) return {};
  return base::fail(Errc::unavailable, "TLS handshake: the server did not agree on " + wanted);
}

Task<Expected<std::unique_ptr<TlsStream>>> shake_hands(tcp::socket socket, const TlsContext* tls,
                                                       std::string host) {
  auto stream = std::make_unique<TlsStream>(std::move(socket), tls->native().context);
  SSL* handle = stream->native_handle();
  if (auto expected = expect_host(handle, host); !expected) co_return base::fail(expected.error());
  const auto [error] = co_await stream->async_handshake(ssl::stream_base::client, kTuple);
  rethrow_if_aborted(error);
  if (const long verdict = SSL_get_verify_result(handle); verdict != X509_V_OK) {
    co_return base::fail(Errc::unauthenticated,
                         std::string("TLS certificate: ") + X509_verify_cert_error_string(verdict));
  }
  if (error) co_return failed("TLS handshake", error);
  if (auto agreed = expect_alpn(handle, tls->alpn()); !agreed) co_return base::fail(agreed.error());
  co_return std::move(stream);
}

base::Error named(base::Error error, std::string_view phase) {
  if (error.code == Errc::timed_out) error.detail = std::string(phase) + ": " + error.detail;
  return error;
}

Expected<std::size_t> moved_or(const error_code& error, std::size_t bytes) {
  if (!error) return bytes;
  if (error == asio::error::operation_aborted) return base::fail(Errc::cancelled, "closed here");
  return base::fail(Errc::unavailable, error.message());
}

template <class Stream>
Task<Expected<std::size_t>> read_some(Stream& stream, std::span<char> into) {
  const auto [error, bytes] =
      co_await stream.async_read_some(asio::buffer(into.data(), into.size()), kTuple);
  co_return moved_or(error, bytes);
}

template <class Stream>
Task<Expected<std::size_t>> write_all(Stream& stream, std::string_view data) {
  const auto [error, bytes] = co_await asio::async_write(stream, asio::buffer(data), kTuple);
  co_return moved_or(error, bytes);
}

}  // namespace

struct Transport::Native {
  std::variant<tcp::socket, std::unique_ptr<TlsStream>> stream;

  tcp::socket& socket() {
    if (auto* plain = std::get_if<tcp::socket>(&stream)) return *plain;
    return std::get<std::unique_ptr<TlsStream>>(stream)->next_layer();
  }
};

Transport::Transport(std::unique_ptr<Native> native) : native_(std::move(native)) {}
Transport::~Transport() = default;

Task<Expected<std::unique_ptr<Transport>>> Transport::connect(async::Timers& timers,
                                                              Endpoint endpoint,
                                                              const TlsContext* tls,
                                                              ConnectTimeouts timeouts) {
  const async::Executor executor = timers.executor();
  auto endpoints = co_await async::with_deadline(timers, timers.after(timeouts.resolve),
                                                 resolve(executor, endpoint));
  if (!endpoints) co_return base::fail(named(endpoints.error(), "resolve"));
  auto socket = co_await async::with_deadline(timers, timers.after(timeouts.connect),
                                              connect_socket(executor, std::move(*endpoints)));
  if (!socket) co_return base::fail(named(socket.error(), "connect"));
  if (tls == nullptr) {
    co_return std::unique_ptr<Transport>(
        new Transport(std::make_unique<Native>(Native{std::move(*socket)})));
  }
  auto stream = co_await async::with_deadline(timers, timers.after(timeouts.handshake),
                                              shake_hands(std::move(*socket), tls, endpoint.host));
  if (!stream) co_return base::fail(named(stream.error(), "TLS handshake"));
  co_return std::unique_ptr<Transport>(
      new Transport(std::make_unique<Native>(Native{std::move(*stream)})));
}

Task<Expected<std::size_t>> Transport::read(std::span<char> into) {
  if (auto* plain = std::get_if<tcp::socket>(&native_->stream)) return read_some(*plain, into);
  return read_some(*std::get<std::unique_ptr<TlsStream>>(native_->stream), into);
}

Task<Expected<std::size_t>> Transport::write(std::string_view bytes) {
  if (auto* plain = std::get_if<tcp::socket>(&native_->stream)) return write_all(*plain, bytes);
  return write_all(*std::get<std::unique_ptr<TlsStream>>(native_->stream), bytes);
}

void Transport::close() {
  error_code ignored;  // closing what the peer closed first is no news
  native_->socket().close(ignored);
}

}  // namespace notify::net
