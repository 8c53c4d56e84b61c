#include "storage/redis/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <vector>

#include "base/async/with_deadline.hpp"
#include "storage/backoff.hpp"

namespace notify::redis {

namespace {

using async::Task;
using base::Errc;
using base::Expected;

constexpr std::size_t kReadSize = std::size_t{16} << 10;

struct Greeting {
  std::vector<Command> commands;
  bool with_password = false;
};

/// PING is last: it tells whether the server is ready to serve (LOADING, NOAUTH, MASTERDOWN).
Greeting greeting(const Url& url, const ClientOptions& options) {
  Greeting greeting;
  greeting.with_password = !url.password.empty();
  if (greeting.with_password) {
    Command auth("AUTH");
    if (!url.user.empty()) auth.arg(url.user);
    greeting.commands.push_back(std::move(auth.arg(url.password.reveal())));
  }
  if (url.database != 0) {
    greeting.commands.push_back(std::move(Command("SELECT").arg(std::int64_t{url.database})));
  }
  greeting.commands.push_back(std::move(Command("CLIENT").arg("SETNAME").arg(options.client_name)));
  greeting.commands.push_back(Command("PING"));
  return greeting;
}

}  // namespace

Connection::Connection(ConnectionContext context)
    : context_(std::move(context)), health_timer_(context_.timers, [this] { check_health(); }) {}

Connection::~Connection() = default;

Task<void> Connection::run() {
  struct CloseAtEnd {
    Connection& connection;
    ~CloseAtEnd() { connection.close("the client is stopping"); }
  } close_at_end{*this};

  for (int failures = 0;;) {
    auto opened = co_await async::with_deadline(
        context_.timers, context_.timers.after(context_.options.connect_timeout), open());
    if (opened) {
      failures = 0;
      stream_ = std::move(*opened);
      ++context_.counters.connects;
      report("connected");
      health_timer_.arm(context_.timers.after(context_.options.ping_interval));
      context_.on_change();
      co_await read_until_lost(stream_);
      const auto cancellation = co_await async::asio::this_coro::cancellation_state;
      if (cancellation.cancelled() != async::asio::cancellation_type::none) co_return;
      ++context_.counters.reconnects;
      report("lost: " + lost_why_);
      close("the connection to Redis was lost: " + lost_why_);
    } else {
      ++context_.counters.connect_failures;
      report("cannot connect: " + opened.error().detail);
    }
    co_await context_.timers.sleep_for(storage::backoff(
        context_.rng, failures, context_.options.backoff_min, context_.options.backoff_max));
    ++failures;
  }
}

Task<Expected<std::shared_ptr<Stream>>> Connection::open() {
  auto address = co_await context_.topology.primary_of(std::nullopt);
  if (!address) co_return base::fail(std::move(address.error()));
  auto stream = co_await open_stream(context_.timers, std::move(*address), context_.tls,
                                     context_.options.connect_timeout);
  if (!stream) co_return base::fail(std::move(stream.error()));
  const auto introduced = co_await introduce(*stream);
  if (!introduced) co_return base::fail(introduced.error());
  co_return std::move(*stream);
}

Task<Expected<async::Unit>> Connection::introduce(std::shared_ptr<Stream> stream) {
  parser_ = std::make_unique<ReplyParser>(context_.options.reply);
  const Greeting hello = greeting(context_.url, context_.options);
  std::string bytes;
  for (const Command& command : hello.commands) command.encode_to(bytes);
  const auto written = co_await stream->write(bytes);
  if (!written) co_return base::fail(written.error());

  std::array<char, 1024> buffer;
  for (std::size_t i = 0; i < hello.commands.size();) {
    auto reply = parser_->next();
    if (!reply) co_return base::fail(std::move(reply.error()));
    if (!reply->has_value()) {
      const auto got = co_await stream->read(buffer);
      if (!got) co_return base::fail(got.error());
      const auto fed = parser_->feed(std::string_view(buffer.data(), *got));
      if (!fed) co_return base::fail(fed.error());
      continue;
    }
    const bool is_auth = hello.with_password && i == 0;
    const bool is_name = i + 2 == hello.commands.size();  // some proxies do not know it: no matter
    if ((*reply)->is_error() && !is_name) {
      // Of a refused AUTH only the first word is told: the rest can quote what was sent.
      if (is_auth) {
        co_return base::fail(Errc::unauthenticated,
                             "Redis refused AUTH: " + std::string((*reply)->error_prefix()));
      }
      co_return base::fail((*reply)->to_error());
    }
    ++i;
  }
  co_return async::Unit{};
}

void Connection::send(const std::shared_ptr<Request>& request) {
  for (const Command& command : request->commands) command.encode_to(out_);
  context_.counters.commands += request->commands.size();
  request->commands.clear();
  request->replies.reserve(request->expected);
  request->state = Request::State::sent;
  in_flight_.push_back(Sent{request, context_.timers.clock().steady_now()});
  ++unwritten_;
  if (writing_) return;
  writing_ = true;  // before the spawn, which runs the task up to its first wait
  if (!context_.tasks.spawn(write_all(stream_))) give_up("the client is stopping");
}

Task<void> Connection::write_all(std::shared_ptr<Stream> stream) {
  // With the next turn of the loop, so that all who are ready now share the write.
  co_await async::asio::post(context_.timers.executor(), async::kUseAwaitable);
  std::string bytes;
  while (stream_ == stream && !out_.empty()) {
    bytes.clear();
    bytes.swap(out_);
    unwritten_ = 0;
    ++context_.counters.writes;
    context_.on_change();  // what is gathered from here on goes with the next write
    const auto written = co_await stream->write(bytes);
    if (!written) {
      if (stream_ == stream) give_up(written.error().detail);
      co_return;
    }
  }
  if (stream_ == stream) writing_ = false;
}

Task<void> Connection::read_until_lost(std::shared_ptr<Stream> stream) {
  std::vector<char> buffer(kReadSize);
  while (lost_why_.empty()) {
    const auto got = co_await stream->read(buffer);
    if (!got) co_return give_up(got.error().detail);
    if (!take_replies(std::string_view(buffer.data(), *got))) co_return;
    context_.on_change();
  }
}

bool Connection::take_replies(std::string_view bytes) {
  if (const auto fed = parser_->feed(bytes); !fed) {
    give_up(fed.error().detail);
    return false;
  }
  for (;;) {
    auto reply = parser_->next();
    if (!reply) {
      give_up(reply.error().detail);
      return false;
    }
    if (!reply->has_value()) return true;
    if (in_flight_.empty()) {
      give_up("Redis answered what was not asked");
      return false;
    }
    take_reply(std::move(**reply));
  }
}

void Connection::take_reply(Reply reply) {
  Sent& oldest = in_flight_.front();
  Request& request = *oldest.request;
  if (reply.is_error()) {
    ++context_.counters.errors;
    // After a failover: connect again, to the primary of now.
    const std::string_view prefix = reply.error_prefix();
    if (prefix == "READONLY" || prefix == "MOVED") {
      ++context_.counters.not_primary;
      give_up("the server is not the primary");
    }
  }
  request.replies.push_back(std::move(reply));
  if (request.replies.size() < request.expected) return;
  if (request.state != Request::State::over) request.complete(std::move(request.replies));
  in_flight_.pop_front();
}

void Connection::give_up(std::string why) {
  if (lost_why_.empty()) lost_why_ = why.empty() ? "closed" : std::move(why);
  if (stream_) stream_->close();  // wakes the reader, which cleans up
}

void Connection::close(const std::string& why) {
  health_timer_.disarm();
  while (!in_flight_.empty()) {
    const std::shared_ptr<Request> request = std::move(in_flight_.front().request);
    const bool left = in_flight_.size() > unwritten_;
    in_flight_.pop_front();
    if (request->state == Request::State::over) continue;
    ++context_.counters.errors;
    request->complete(base::fail(left ? Errc::timed_out : Errc::unavailable, why));
  }
  if (stream_) stream_->close();
  stream_.reset();
  parser_.reset();
  out_.clear();
  unwritten_ = 0;
  writing_ = false;
  lost_why_.clear();
  context_.on_change();
}

void Connection::check_health() {
  const auto& options = context_.options;
  if (!is_ready()) return;
  const base::SteadyTime now = context_.timers.clock().steady_now();
  if (in_flight_.empty()) {
    std::vector<Command> ping{Command("PING")};
    send(std::make_shared<Request>(context_.timers.executor(), std::move(ping)));
  } else if (now - in_flight_.front().since >= options.response_limit) {
    return give_up("Redis does not answer");
  }
  // Looks again when the oldest call's time is up, but at least once in each interval.
  const base::Deadline limit(in_flight_.front().since + options.response_limit);
  health_timer_.arm(limit.earlier_of(context_.timers.after(options.ping_interval)));
}

void Connection::report(std::string_view what) const {
  if (context_.options.on_event) context_.options.on_event(what);
}

}  // namespace notify::redis
