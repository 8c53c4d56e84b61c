#include "push-simulator/browser_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>

#include "base/async/channel.hpp"
#include "push-simulator/listen.hpp"
#include "push-simulator/report.hpp"

namespace notify::simulator {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using UpgradeRequest = http::request<http::empty_body>;

constexpr std::size_t kMaxConnections = 1000;
constexpr std::size_t kMaxMessage = 64UL * 1024;
constexpr std::size_t kMaxUnread = 256;
constexpr std::chrono::seconds kUpgradeTime{10};
constexpr std::chrono::seconds kBrowserSilence{60};
constexpr const char* kSubprotocol = "push-notification";

/// Firefox asks for a subprotocol, and takes no other.
void set_browser_options(websocket::stream<beast::tcp_stream>& stream,
                         const UpgradeRequest& request) {
  websocket::stream_base::timeout times;
  times.handshake_timeout = kUpgradeTime;
  times.idle_timeout = kBrowserSilence;
  times.keep_alive_pings = true;
  stream.set_option(times);
  stream.read_message_max(kMaxMessage);
  stream.text(true);
  if (request[http::field::sec_websocket_protocol] != kSubprotocol) return;
  stream.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(http::field::sec_websocket_protocol, kSubprotocol);
  }));
}

http::response<http::string_body> upgrade_required(const UpgradeRequest& request) {
  http::response<http::string_body> answer(http::status::upgrade_required, request.version());
  answer.set(http::field::upgrade, "websocket");
  answer.body() = "this port speaks WebSocket only\n";
  answer.keep_alive(false);
  answer.prepare_payload();
  return answer;
}

}  // namespace

/// One browser: its messages go to `browsers`, and what it is sent waits in a bounded queue.
/// Threading: one executor.
/// Lifetime:  shared by its reading and its writing task; gone when both have ended.
class BrowserConnection final : public BrowserLink {
 public:
  using Self = std::shared_ptr<BrowserConnection>;

  BrowserConnection(BrowserServer& server, tcp::socket socket)
      : server_(server),
        stream_(std::move(socket)),
        outgoing_(server.timers_.executor(), kMaxUnread) {
    server_.connections_.insert(this);
  }
  ~BrowserConnection() override {
    server_.browsers_.disconnected(*this);
    server_.connections_.erase(this);
  }

  void send(std::string text) override {
    if (!outgoing_.try_send(text)) close("the browser does not read");
  }

  void close(std::string_view why) override {
    if (why_.empty()) why_ = why;
    outgoing_.close();
  }

  void cut() override { beast::get_lowest_layer(stream_).close(); }

  static async::Task<void> serve(Self self) {
    if (!co_await shake_hands(self)) co_return;
    self->server_.tasks_.spawn(write_loop(self));
    beast::flat_buffer buffer;
    for (;;) {
      const auto [error, size] =
          co_await self->stream_.async_read(buffer, asio::as_tuple(async::kUseAwaitable));
      if (error) break;
      const auto text = buffer.cdata();
      self->server_.browsers_.receive(*self, {static_cast<const char*>(text.data()), text.size()});
      buffer.clear();
    }
    self->server_.browsers_.disconnected(*self);
    self->outgoing_.close();
  }

 private:
  static async::Task<bool> shake_hands(Self self) {
    auto& tcp = beast::get_lowest_layer(self->stream_);
    tcp.expires_after(kUpgradeTime);
    beast::flat_buffer buffer;
    UpgradeRequest request;
    const auto [read_error, size] =
        co_await http::async_read(tcp, buffer, request, asio::as_tuple(async::kUseAwaitable));
    if (read_error) co_return false;
    if (!websocket::is_upgrade(request)) {
      const auto answer = upgrade_required(request);
      co_await http::async_write(tcp, answer, asio::as_tuple(async::kUseAwaitable));
      co_return false;
    }
    tcp.expires_never();  // from here on the WebSocket has the time limits
    set_browser_options(self->stream_, request);
    const auto [error] =
        co_await self->stream_.async_accept(request, asio::as_tuple(async::kUseAwaitable));
    co_return !error;
  }

  static async::Task<void> write_loop(Self self) {
    while (const auto text = co_await self->outgoing_.receive()) {
      const auto [error, size] = co_await self->stream_.async_write(
          asio::buffer(*text), asio::as_tuple(async::kUseAwaitable));
      if (error) break;
    }
    const websocket::close_reason reason(websocket::close_code::policy_error,
                                         beast::string_view(self->why_.data(), self->why_.size()));
    co_await self->stream_.async_close(reason, asio::as_tuple(async::kUseAwaitable));
    self->cut();
  }

  BrowserServer& server_;
  websocket::stream<beast::tcp_stream> stream_;
  async::Channel<std::string> outgoing_;
  std::string_view why_;
};

BrowserServer::BrowserServer(async::Timers& timers, Browsers& browsers)
    : timers_(timers),
      browsers_(browsers),
      acceptor_(timers.executor()),
      tasks_(timers.executor(), report_escape) {}

base::Expected<std::uint16_t> BrowserServer::start(const tcp::endpoint& listen) {
  auto port = listen_on(acceptor_, listen);
  if (port)
    tasks_.spawn(
        accept_each(acceptor_, timers_, [this](auto socket) { on_socket(std::move(socket)); }));
  return port;
}

async::Task<void> BrowserServer::stop() {
  acceptor_.close();
  for (BrowserConnection* connection : connections_) connection->cut();
  co_await tasks_.stop();
}

void BrowserServer::on_socket(tcp::socket socket) {
  if (connections_.size() >= kMaxConnections) return;  // it is closed
  tasks_.spawn(
      BrowserConnection::serve(std::make_shared<BrowserConnection>(*this, std::move(socket))));
}

}  // namespace notify::simulator
