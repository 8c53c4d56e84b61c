#include "edges/http/admin_server.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "edges/http/connection.hpp"
#include "edges/http/listener.hpp"

namespace notify::edges::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

using Parser = bhttp::request_parser<bhttp::empty_body>;

/// What a request is answered with before anybody looks at its path.
std::optional<Page> refusal(const Parser::value_type& request, bool has_body) {
  if (request.method() != bhttp::verb::get && request.method() != bhttp::verb::head) {
    return error_page(405, "only GET and HEAD are answered here");
  }
  if (has_body) return error_page(413, "a request here has no body");
  return std::nullopt;
}

/// nullopt if there is nobody to tell.
std::optional<Page> refusal(const error_code& error) {
  const auto flaw = unreadable(error);
  return flaw ? std::optional(error_page(flaw->status, flaw->what)) : std::nullopt;
}

Response make_response(Page page, unsigned version, bool keep_alive) {
  Response response(static_cast<bhttp::status>(page.status), version);
  response.set(bhttp::field::content_type, page.content_type);
  response.set(bhttp::field::cache_control, "no-store");
  if (page.status == 405) response.set(bhttp::field::allow, "GET, HEAD");
  response.body() = std::move(page.body);
  response.prepare_payload();
  response.keep_alive(keep_alive);
  return response;
}

}  // namespace

AdminServer::AdminServer(async::Executor executor, async::Timers& timers, AdminOptions options,
                         AdminSources sources, const telemetry::Log& log)
    : timers_(timers),
      options_(std::move(options)),
      sources_(sources),
      log_(log.component("admin")),
      acceptor_(executor),
      tasks_(executor, [this](std::string_view what) {
        log_.error("a task broke off", {{"what", what}});
      }) {}

base::Expected<std::uint16_t> AdminServer::start() {
  const auto listener = Listener::open(options_.host, options_.port);
  if (!listener) return base::fail(listener.error());
  auto acceptor = (*listener)->share(tasks_.executor());
  if (!acceptor) return base::fail(std::move(acceptor).error());
  acceptor_ = std::move(*acceptor);
  tasks_.spawn(accept_loop());
  return (*listener)->port();
}

async::Task<void> AdminServer::stop() {
  error_code ignored;
  static_cast<void>(acceptor_.close(ignored));
  co_await tasks_.stop();
}

async::Task<void> AdminServer::accept_loop() {
  constexpr std::chrono::milliseconds kPauseAfterError{100};
  while (acceptor_.is_open()) {
    error_code error;
    Socket socket = co_await acceptor_.async_accept(returning(error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, usually: others must close some first.
      log_.warn("a connection could not be accepted", {{"error", error.message()}});
      co_await timers_.sleep_for(kPauseAfterError);
      continue;
    }
    const std::size_t connections = tasks_.size() - 1;
    if (connections >= options_.connections_max) continue;  // closed by its destructor
    tasks_.spawn(serve(std::move(socket)));
  }
}

async::Task<void> AdminServer::serve(Socket socket) {
  // One timer bounds each phase. Closing the socket ends whatever is under way.
  async::Timer timer(timers_, [&socket] {
    error_code ignored;
    static_cast<void>(socket.close(ignored));
  });
  // Room for one byte more than the limit, so that it is the parser who finds the header too large.
  beast::flat_buffer buffer(options_.header_max_bytes + 1);
  bool keep_alive = true;
  while (keep_alive) {
    timer.arm(timers_.after(options_.timeout));
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(options_.header_max_bytes));
    // The body is refused by us, by name; the parser would refuse it before the method is known.
    parser.body_limit(boost::none);
    error_code error;
    co_await bhttp::async_read_header(socket, buffer, parser, returning(error));

    std::optional<Page> page = error ? refusal(error) : refusal(parser.get(), !parser.is_done());
    if (error && !page) co_return;
    keep_alive = !page && parser.get().keep_alive();
    if (!page) page = admin_page(parser.get().target(), sources_);

    timer.arm(timers_.after(options_.timeout));
    const bool is_head = !error && parser.get().method() == bhttp::verb::head;
    Response response =
        make_response(std::move(*page), error ? 11 : parser.get().version(), keep_alive);
    if (co_await write(socket, response, is_head ? BodyIs::left_out : BodyIs::sent)) co_return;
  }
  co_await say_goodbye(socket);
}

}  // namespace notify::edges::http
