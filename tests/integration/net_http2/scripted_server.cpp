#include "integration/net_http2/scripted_server.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "integration/net_http2/private_ca.hpp"

namespace notify::http2 {

namespace asio = boost::asio;
using asio::ip::tcp;
using async::Task;

namespace {

constexpr auto kTuple = asio::as_tuple(async::kUseAwaitable);

int choose_h2(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char*,
              unsigned, void*) {
  *chosen = reinterpret_cast<const unsigned char*>("h2");
  *length = 2;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

ScriptedConnection::ScriptedConnection(async::Executor executor, tcp::socket socket,
                                       asio::ssl::context& tls, std::size_t which,
                                       std::uint32_t streams_max, bool answer_pings)
    : peer(streams_max, answer_pings),
      number(which),
      executor_(std::move(executor)),
      stream_(std::move(socket), tls) {}

void ScriptedConnection::flush() {
  if (sleeping_writer_ != nullptr) std::exchange(sleeping_writer_, nullptr)->complete({});
}

void ScriptedConnection::cut() {
  over_ = true;
  boost::system::error_code ignored;
  stream_.next_layer().close(ignored);
  flush();
}

Task<void> ScriptedConnection::read_loop() {
  std::array<char, 16384> buffer;
  while (!over_) {
    const auto [error, size] =
        encrypted_ ? co_await stream_.async_read_some(asio::buffer(buffer), kTuple)
                   : co_await stream_.next_layer().async_read_some(asio::buffer(buffer), kTuple);
    if (error || !peer.receive({buffer.data(), size})) break;
    flush();
  }
  cut();
}

Task<void> ScriptedConnection::write_loop() {
  while (!over_) {
    const std::string out = peer.take_output();
    if (out.empty()) {
      async::OneShot<async::Unit> wake(executor_);
      sleeping_writer_ = &wake;
      co_await wake.wait();
      continue;
    }
    const auto [error, size] =
        encrypted_ ? co_await asio::async_write(stream_, asio::buffer(out), kTuple)
                   : co_await asio::async_write(stream_.next_layer(), asio::buffer(out), kTuple);
    if (error) break;
  }
}

ScriptedServer::ScriptedServer(async::Executor executor, ServerScript script)
    : script_(std::move(script)),
      acceptor_(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      tasks_(executor, [](std::string_view what) { ADD_FAILURE() << what; }) {
  if (!script_.on_request) {
    script_.on_request = [](ScriptedConnection& connection, const ReceivedRequest& request) {
      connection.peer.respond(request.id, 200);
    };
  }
  const PrivateCa& ca = PrivateCa::instance();
  tls_.use_certificate_chain_file(ca.certificate);
  tls_.use_private_key_file(ca.key, asio::ssl::context::pem);
  if (script_.alpn) SSL_CTX_set_alpn_select_cb(tls_.native_handle(), choose_h2, nullptr);
  tasks_.spawn(accept_loop());
}

std::string ScriptedServer::origin() const {
  return (script_.tls ? "https://localhost:" : "http://localhost:") + std::to_string(port());
}

Task<void> ScriptedServer::accept_loop() {
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(kTuple);
    if (error) co_return;
    socket.set_option(tcp::no_delay(true));
    auto connection = std::make_shared<ScriptedConnection>(
        tasks_.executor(), std::move(socket), tls_, connections.size(), script_.streams_max,
        script_.answer_pings);
    connection->encrypted_ = script_.tls;
    connection->peer.on_request = [this, raw = connection.get()](const ReceivedRequest& request) {
      script_.on_request(*raw, request);
    };
    connections.push_back(connection);
    if (script_.handshake) tasks_.spawn(serve(connection));
  }
}

Task<void> ScriptedServer::serve(std::shared_ptr<ScriptedConnection> connection) {
  if (script_.tls) {
    const auto [error] =
        co_await connection->stream_.async_handshake(asio::ssl::stream_base::server, kTuple);
    if (error) co_return;
  }
  tasks_.spawn(write(connection));
  co_await connection->read_loop();
}

Task<void> ScriptedServer::write(std::shared_ptr<ScriptedConnection> connection) {
  co_await connection->write_loop();
}

Task<void> ScriptedServer::stop() {
  acceptor_.close();
  for (const auto& connection : connections) connection->cut();
  co_await tasks_.join();
}

}  // namespace notify::http2
