#include "edges/rest/rest_server.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "base/async/with_deadline.hpp"

namespace notify::edges::rest {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;
using http::returning;

using Parser = bhttp::request_parser<bhttp::string_body>;

/// How long a peer has to close its side after the last answer.
constexpr std::chrono::milliseconds kGoodbye{1'000};

std::string_view header(const Parser& parser, bhttp::field name) { return parser.get()[name]; }

Head head_of(const Parser& parser) {
  Head head;
  head.method = parser.get().method_string();
  head.target = parser.get().target();
  head.authorization = header(parser, bhttp::field::authorization);
  head.content_type = header(parser, bhttp::field::content_type);
  head.content_encoding = header(parser, bhttp::field::content_encoding);
  head.if_match = header(parser, bhttp::field::if_match);
  head.origin = header(parser, bhttp::field::origin);
  head.requested_method = header(parser, bhttp::field::access_control_request_method);
  head.has_body = !parser.is_done();
  return head;
}

/// A client can send lines of its own before that of a proxy.
std::string forwarded_for(const Parser& parser) {
  std::string all;
  const auto [first, last] = parser.get().equal_range("X-Forwarded-For");
  for (auto line = first; line != last; ++line) {
    if (!all.empty()) all += ',';
    all += std::string_view(line->value());
  }
  return all;
}

std::string address_of(const http::Socket& socket) {
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  return error ? std::string() : peer.address().to_string();
}

/// nullopt if there is nobody to tell.
std::optional<Reply> refusal(const error_code& error) {
  const auto flaw = http::unreadable(error);
  if (!flaw) return std::nullopt;
  const char* reason = flaw->status == 413   ? "BODY_TOO_LARGE"
                       : flaw->status == 431 ? "HEADER_TOO_LARGE"
                                             : "INVALID_HTTP";
  return http_error(flaw->status, reason, std::string(flaw->what));
}

Reply too_slow() {
  return http_error(408, "REQUEST_TIMEOUT", "the request did not arrive in time");
}

http::Response to_response(Reply reply, unsigned version, bool keep_alive) {
  http::Response response(static_cast<bhttp::status>(reply.status), version);
  for (const auto& [name, value] : reply.headers) response.insert(name, value);
  response.set(bhttp::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (!reply.body.empty()) response.set(bhttp::field::content_type, "application/json");
  response.body() = std::move(reply.body);
  response.prepare_payload();
  if (reply.status == 204) response.erase(bhttp::field::content_length);  // RFC 9110 §8.6
  response.keep_alive(keep_alive);
  return response;
}

}  // namespace

/// One peer, and the timer that bounds each phase of what is done for it.
struct RestServer::Connection {
  Connection(RestServer& s, http::Socket accepted)
      : server(s),
        socket(std::move(accepted)),
        // Room for one byte more than the limit: it is the parser who finds a header too large.
        buffer(s.options_.header_max_bytes + 1),
        timer(s.timers_, [this] {
          is_late = true;
          error_code ignored;
          static_cast<void>(socket.cancel(ignored));
        }) {
    ++server.connections_;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    --server.connections_;
    server.ended_.notify();
  }

  void allow(std::chrono::milliseconds time) {
    is_late = false;
    timer.arm(server.timers_.after(time));
  }

  RestServer& server;
  http::Socket socket;
  beast::flat_buffer buffer;
  async::Timer timer;
  bool is_late = false;
};

/// One request while it is read.
struct RestServer::Reading {
  Parser parser;
  bool is_unreadable = false;
  std::string origin;  // for answers to requests that cannot be read to their end, too
};

RestServer::RestServer(http::Listener::Acceptor acceptor, async::Timers& timers, RestApi& api,
                       RestOptions options, const telemetry::Log& log)
    : timers_(timers),
      api_(api),
      options_(std::move(options)),
      log_(log.component("rest")),
      acceptor_(std::move(acceptor)),
      ended_(timers.executor()),
      tasks_(timers.executor(), [this](std::string_view what) {
        log_.error("a task broke off", {{"what", what}});
      }) {}

void RestServer::start() { tasks_.spawn(accept_loop()); }

void RestServer::drain() {
  draining_ = true;
  error_code ignored;
  static_cast<void>(acceptor_.close(ignored));
  for (Connection* connection : idle_) static_cast<void>(connection->socket.cancel(ignored));
}

async::Task<base::Expected<void>> RestServer::all_ended() {
  co_await ended_.wait([this] { return connections_ == 0; });
  co_return base::Expected<void>();
}

async::Task<void> RestServer::stop(base::Deadline deadline) {
  drain();
  const auto ended = co_await async::with_deadline(timers_, deadline, all_ended());
  if (!ended) log_.warn("connections were cut off", {{"count", connections_}});
  co_await tasks_.stop();
}

async::Task<void> RestServer::accept_loop() {
  constexpr std::chrono::milliseconds kPauseAfterError{100};
  while (!draining_) {
    error_code error;
    http::Socket socket = co_await acceptor_.async_accept(returning(error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, usually: others must close some first.
      log_.warn("a connection could not be accepted", {{"error", error.message()}});
      co_await timers_.sleep_for(kPauseAfterError);
      continue;
    }
    if (connections_ >= options_.connections_max) {
      if (idle_.empty()) continue;  // closed by its destructor
      error_code ignored;
      static_cast<void>(idle_.front()->socket.cancel(ignored));
      idle_.pop_front();
    }
    tasks_.spawn(serve(std::move(socket)));
  }
}

async::Task<void> RestServer::serve(http::Socket socket) {
  Connection connection(*this, std::move(socket));
  bool keep = true;
  while (keep && !draining_ && co_await await_request(connection)) {
    keep = co_await exchange(connection);
  }
  if (keep) co_return;  // it was idle: nobody waits for anything
  connection.allow(kGoodbye);
  co_await http::say_goodbye(connection.socket);
}

/// Until the first byte of the next request; false if there will be none.
async::Task<bool> RestServer::await_request(Connection& connection) {
  if (connection.buffer.size() > 0) co_return true;
  struct Idle {
    std::list<Connection*>& list;
    Connection* connection;
    ~Idle() { list.remove(connection); }
  };
  idle_.push_back(&connection);
  const Idle idle{idle_, &connection};
  connection.allow(options_.idle_timeout);
  error_code error;
  co_await connection.socket.async_wait(http::Socket::wait_read, returning(error));
  co_return !error;
}

/// Reads a request and answers it; false if it was the last one.
async::Task<bool> RestServer::exchange(Connection& connection) {
  const base::SteadyTime started = timers_.clock().steady_now();
  Reading reading;
  auto reply = co_await answer(connection, reading);
  if (!reply) co_return false;
  co_return co_await send(connection, reading, std::move(*reply), started);
}

/// nullopt if there is nobody to answer.
async::Task<std::optional<Reply>> RestServer::answer(Connection& connection, Reading& reading) {
  Parser& parser = reading.parser;
  parser.header_limit(static_cast<std::uint32_t>(options_.header_max_bytes));
  parser.body_limit(options_.request_max_bytes);
  connection.allow(options_.request_timeout);
  error_code error;
  co_await bhttp::async_read_header(connection.socket, connection.buffer, parser, returning(error));
  reading.origin = header(parser, bhttp::field::origin);
  reading.is_unreadable = bool{error};
  if (error) co_return connection.is_late ? too_slow() : refusal(error);
  connection.timer.disarm();  // until the next phase; what is awaited meanwhile has a deadline

  const base::Deadline deadline = timers_.after(options_.request_timeout);
  const std::string forwarded = forwarded_for(parser);
  const std::string peer = address_of(connection.socket);
  Head head = head_of(parser);
  head.forwarded_for = forwarded;
  head.peer = peer;
  auto admission = co_await api_.admit(head, deadline);
  if (auto* reply = std::get_if<Reply>(&admission)) co_return std::move(*reply);
  auto& admitted = std::get<Admitted>(admission);
  error = co_await read_body(connection, reading);
  reading.is_unreadable = bool{error};
  if (error) co_return connection.is_late ? too_slow() : refusal(error);
  connection.timer.disarm();
  admitted.parts.body = std::move(parser.get().body());
  co_return co_await api_.call(admitted, timers_.after(options_.request_timeout));
}

async::Task<error_code> RestServer::read_body(Connection& connection, Reading& reading) {
  error_code error;
  if (reading.parser.is_done()) co_return error;
  connection.allow(options_.request_timeout);
  if (beast::iequals(header(reading.parser, bhttp::field::expect), "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(connection.socket, asio::buffer(kContinue), returning(error));
    if (error) co_return error;
  }
  co_await bhttp::async_read(connection.socket, connection.buffer, reading.parser,
                             returning(error));
  co_return error;
}

async::Task<bool> RestServer::send(Connection& connection, const Reading& reading, Reply reply,
                                   base::SteadyTime started) {
  const Parser& parser = reading.parser;
  // What was not read of a request would be taken for the next one.
  const bool keep =
      !reading.is_unreadable && parser.is_done() && parser.get().keep_alive() && !draining_;
  api_.add_cors(reading.origin, reply);
  const unsigned status = reply.status;
  const bool is_head = parser.get().method() == bhttp::verb::head;
  http::Response response = to_response(std::move(reply), 11, keep);
  connection.allow(options_.request_timeout);
  const error_code error = co_await http::write(
      connection.socket, response, is_head ? http::BodyIs::left_out : http::BodyIs::sent);
  if (options_.on_done) options_.on_done(status, timers_.clock().steady_now() - started);
  co_return keep && !error;
}

}  // namespace notify::edges::rest
