#include "push-simulator/control_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "push-simulator/listen.hpp"
#include "push-simulator/report.hpp"

namespace notify::simulator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint64_t kMaxBody = 64ULL * 1024 * 1024;
constexpr std::chrono::seconds kSilence{60};

http::response<http::string_body> to_http(ControlResponse answer,
                                          const http::request<http::string_body>& request) {
  http::response<http::string_body> response(static_cast<http::status>(answer.status),
                                             request.version());
  if (answer.status != 204) response.set(http::field::content_type, "application/json");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(answer.body);
  response.prepare_payload();
  return response;
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

async::Task<void> serve(beast::tcp_stream stream, ControlApi& api) {
  beast::flat_buffer buffer;
  for (bool open = true; open;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMaxBody);
    stream.expires_after(kSilence);
    const auto [read_error, read_size] =
        co_await http::async_read(stream, buffer, parser, asio::as_tuple(async::kUseAwaitable));
    if (read_error) co_return;
    const auto& request = parser.get();
    auto response =
        to_http(api.handle({view(request.method_string()), view(request.target()), request.body()}),
                request);
    open = response.keep_alive();
    stream.expires_after(kSilence);
    const auto [write_error, write_size] =
        co_await http::async_write(stream, response, asio::as_tuple(async::kUseAwaitable));
    if (write_error) co_return;
  }
  beast::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

ControlServer::ControlServer(async::Timers& timers, ControlApi& api)
    : timers_(timers),
      api_(api),
      acceptor_(timers.executor()),
      tasks_(timers.executor(), report_escape) {}

base::Expected<std::uint16_t> ControlServer::start(const tcp::endpoint& listen) {
  auto port = listen_on(acceptor_, listen);
  if (port)
    tasks_.spawn(
        accept_each(acceptor_, timers_, [this](auto socket) { on_socket(std::move(socket)); }));
  return port;
}

async::Task<void> ControlServer::stop() {
  acceptor_.close();
  co_await tasks_.stop();
}

void ControlServer::on_socket(tcp::socket socket) {
  tasks_.spawn(serve(beast::tcp_stream(std::move(socket)), api_));
}

}  // namespace notify::simulator
