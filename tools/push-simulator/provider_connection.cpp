#include "push-simulator/provider_connection.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "base/async/with_deadline.hpp"

namespace notify::simulator {
namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Expected;
using base::fail;

constexpr std::chrono::seconds kHandshakeTime{10};
constexpr std::chrono::milliseconds kGoodbyeTime{500};
constexpr std::chrono::seconds kWriteTime{60};  // a client that reads nothing is cut off
constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kWriteSize = 64 * 1024;

async::Task<Expected<void>> write_all(ProviderConnection::Stream& stream,
                                      const std::string& bytes) {
  const auto [error, size] =
      co_await asio::async_write(stream, asio::buffer(bytes), asio::as_tuple(async::kUseAwaitable));
  if (error) co_return fail(Errc::unavailable, error.message());
  co_return Expected<void>();
}

}  // namespace

ProviderConnection::ProviderConnection(asio::ip::tcp::socket socket, asio::ssl::context& tls,
                                       const Context& context)
    : context_(context),
      stream_(std::move(socket), tls),
      wake_(context.timers.executor(), 1),
      session_(*this, context.first_streams),
      gate_open_(context.first_streams == context.max_streams) {
  context_.endpoint.ledger().connection_opened();
}

ProviderConnection::~ProviderConnection() { context_.endpoint.ledger().connection_closed(); }

async::Task<void> serve_provider(std::shared_ptr<ProviderConnection> self) {
  const auto deadline = self->context_.timers.after(kHandshakeTime);
  const Expected<void> greeted = co_await async::with_deadline(
      self->context_.timers, deadline, ProviderConnection::shake_hands(self));
  if (!greeted) co_return;
  self->context_.tasks.spawn(ProviderConnection::write_loop(self));
  self->wake_writer();  // our SETTINGS
  co_await ProviderConnection::read_loop(self);
}

async::Task<Expected<void>> ProviderConnection::shake_hands(Self self) {
  const auto [error] = co_await self->stream_.async_handshake(asio::ssl::stream_base::server,
                                                              asio::as_tuple(async::kUseAwaitable));
  if (error) co_return fail(Errc::unavailable, error.message());
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(self->stream_.native_handle(), &protocol, &size);
  if (size == 0) co_return fail(Errc::invalid, "the client does not offer h2");
  co_return Expected<void>();
}

async::Task<Expected<void>> ProviderConnection::say_goodbye(Self self) {
  // With close_notify a client can tell the end from a cut; it need not answer in kind.
  co_await self->stream_.async_shutdown(asio::as_tuple(async::kUseAwaitable));
  co_return Expected<void>();
}

async::Task<void> ProviderConnection::read_loop(Self self) {
  std::array<char, kReadSize> buffer;
  for (;;) {
    const auto [error, size] = co_await self->stream_.async_read_some(
        asio::buffer(buffer), asio::as_tuple(async::kUseAwaitable));
    if (error) break;
    if (self->close_after_write_) continue;
    const Expected<void> understood = self->session_.receive({buffer.data(), size});
    if (!understood) self->close_after_write_ = true;  // after the GOAWAY that says why
    self->context_.endpoint.ledger().streams_seen(self->session_.open_streams());
    self->wake_writer();
  }
  self->close();
}

async::Task<void> ProviderConnection::write_loop(Self self) {
  async::Timers& timers = self->context_.timers;
  std::string out;
  for (;;) {
    out.clear();
    self->session_.produce(out, kWriteSize);
    if (!out.empty()) {
      const Expected<void> written = co_await async::with_deadline(timers, timers.after(kWriteTime),
                                                                   write_all(self->stream_, out));
      if (!written) break;
      continue;
    }
    if (self->close_after_write_) break;
    if (self->half_close_after_write_) {
      boost::system::error_code ignored;
      self->stream_.next_layer().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      co_return;  // the client ends the connection
    }
    if (self->session_.is_finished()) {
      static_cast<void>(
          co_await async::with_deadline(timers, timers.after(kGoodbyeTime), say_goodbye(self)));
      break;
    }
    const auto woken = co_await self->wake_.receive();
    if (!woken) break;
  }
  self->close();
}

void ProviderConnection::on_request(StreamId stream, const HttpRequest& request) {
  if (going_away_ || close_after_write_) return;
  ProviderAction action = context_.endpoint.handle(request, context_.number);
  if (action.opens_gate && !gate_open_) {
    gate_open_ = true;
    session_.set_max_streams(context_.max_streams);
  }
  if (action.max_streams > 0) session_.set_max_streams(action.max_streams);
  carry_out(stream, std::move(action));
}

void ProviderConnection::carry_out(StreamId stream, ProviderAction action) {
  using Kind = ProviderAction::Kind;
  switch (action.kind) {
    case Kind::respond:
      if (action.delay.count() > 0) {
        respond_later(stream, std::move(action.response), action.delay);
      } else {
        session_.respond(stream, std::move(action.response));
      }
      if (action.goes_away_after) go_away(stream, {});
      break;
    case Kind::hang: break;
    case Kind::refuse_stream:
      context_.endpoint.ledger().stream_refused();
      session_.refuse(stream);
      break;
    case Kind::go_away:
      go_away(stream - 2, action.goaway_debug);  // clients' streams are odd
      break;
    case Kind::cut: close_after_write_ = true; break;
    case Kind::half_close:
      going_away_ = true;
      half_close_after_write_ = true;
      break;
  }
}

void ProviderConnection::go_away(StreamId last, std::string_view debug_data) {
  going_away_ = true;
  context_.endpoint.ledger().goaway_sent();
  session_.go_away(last, debug_data);
}

void ProviderConnection::on_stream_end(StreamId stream) { delayed_.erase(stream); }

void ProviderConnection::respond_later(StreamId stream, HttpResponse response,
                                       std::chrono::milliseconds delay) {
  auto timer = std::make_unique<async::Timer>(context_.timers,
                                              [this, stream, response = std::move(response)] {
                                                session_.respond(stream, response);
                                                wake_writer();
                                              });
  timer->arm(context_.timers.after(delay));
  delayed_.insert_or_assign(stream, std::move(timer));
}

void ProviderConnection::wake_writer() {
  async::Unit unit;
  static_cast<void>(wake_.try_send(unit));  // full: it is awake already
}

void ProviderConnection::close() {
  wake_.close();
  boost::system::error_code ignored;
  stream_.lowest_layer().close(ignored);
}

}  // namespace notify::simulator
