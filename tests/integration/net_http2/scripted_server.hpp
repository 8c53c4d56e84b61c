#pragma once
// A small HTTP/2 server on a real socket, in the process and on the io_context of the test, that
// answers as a script says: late, wrongly, or not at all.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task_group.hpp"
#include "unit/net_http2/server_peer.hpp"

namespace notify::http2 {

using testing_peer::ReceivedRequest;
using testing_peer::ServerPeer;

/// One accepted connection.
class ScriptedConnection {
 public:
  ScriptedConnection(async::Executor executor, boost::asio::ip::tcp::socket socket,
                     boost::asio::ssl::context& tls, std::size_t number, std::uint32_t streams_max,
                     bool answer_pings);

  ServerPeer peer;
  const std::size_t number;  ///< 0 for the first of the server

  /// Sends what the script put into `peer`; needed only outside on_request.
  void flush();
  /// Cuts the connection without a word.
  void cut();

 private:
  friend class ScriptedServer;
  async::Task<void> read_loop();
  async::Task<void> write_loop();

  bool encrypted_ = true;
  bool over_ = false;
  async::OneShot<async::Unit>* sleeping_writer_ = nullptr;
  async::Executor executor_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
};

struct ServerScript {
  bool tls = true;
  bool alpn = true;
  bool handshake = true;  ///< false: accepts TCP connections and says nothing
  std::uint32_t streams_max = 100;
  bool answer_pings = true;
  /// Default: 200 at once.
  std::function<void(ScriptedConnection&, const ReceivedRequest&)> on_request;
};

class ScriptedServer {
 public:
  ScriptedServer(async::Executor executor, ServerScript script);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::string origin() const;
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] async::Task<void> stop();

  std::vector<std::shared_ptr<ScriptedConnection>> connections;  ///< all there ever were

 private:
  async::Task<void> accept_loop();
  async::Task<void> serve(std::shared_ptr<ScriptedConnection> connection);
  async::Task<void> write(std::shared_ptr<ScriptedConnection> connection);

  ServerScript script_;
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_server};
  boost::asio::ip::tcp::acceptor acceptor_;
  async::TaskGroup tasks_;
};

}  // namespace notify::http2
