#include "net/http2/pool.hpp"

#include <utility>

namespace notify::http2 {

using async::Task;
using base::Deadline;
using base::Errc;
using base::Error;
using base::Expected;

/// One stream of one connection, reserved. Dropping it gives the stream to whoever waits.
class Pool::Lease {
 public:
  Lease(Pool& pool, ConnectionId id, std::shared_ptr<Connection> connection)
      : pool_(&pool), id_(id), connection_(std::move(connection)) {}
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        id_(other.id_),
        connection_(std::move(other.connection_)),
        opens_gate_(other.opens_gate_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease() {
    if (pool_ == nullptr) return;
    pool_->plan_.stream_ended(id_, opens_gate_);
    pool_->pump();
  }

  [[nodiscard]] ConnectionId id() const { return id_; }
  [[nodiscard]] Connection& connection() const { return *connection_; }
  void note_status(int status) { opens_gate_ = pool_->options_.opens_gate(status); }

 private:
  Pool* pool_;
  ConnectionId id_;
  std::shared_ptr<Connection> connection_;
  bool opens_gate_ = false;
};

/// Lets stop() wait for the last frame that refers to the pool.
class Pool::ActiveSend {
 public:
  explicit ActiveSend(Pool& pool) : pool_(pool) { ++pool_.active_sends_; }
  ActiveSend(const ActiveSend&) = delete;
  ActiveSend& operator=(const ActiveSend&) = delete;
  ~ActiveSend() {
    if (--pool_.active_sends_ == 0 && pool_.no_active_send_) pool_.no_active_send_->complete({});
  }

 private:
  Pool& pool_;
};

/// A request for which no stream is free; in the list until it is granted or its deadline passes.
struct Pool::Waiter {
  Waiter(Pool& owner, Deadline deadline)
      : pool(owner), granted(owner.timers_.executor()), timer(owner.timers_, [this] { expire(); }) {
    place = pool.waiting_.insert(pool.waiting_.end(), this);
    timer.arm(deadline);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { leave(); }

  void leave() {
    if (std::exchange(listed, false)) pool.waiting_.erase(place);
  }
  void expire() {
    leave();
    ++pool.counters_.traffic.timeouts;
    granted.complete(
        failure({Errc::timed_out, "no stream became free before the deadline"}, Processed::no));
  }

  Pool& pool;
  async::OneShot<Grant> granted;
  async::Timer timer;
  std::list<Waiter*>::iterator place;
  bool listed = true;
};

namespace {

/// The open streams of a connection that takes no new ones; each has its own deadline besides.
constexpr std::chrono::seconds kOpenStreamsMax{60};

/// Not for errors that a second try cannot change.
bool should_resend(const Result& result) {
  if (result || result.error().processed != Processed::no) return false;
  const Errc code = result.error().error.code;
  return code == Errc::unavailable || code == Errc::overloaded;
}

}  // namespace

Expected<std::unique_ptr<Pool>> Pool::create(PoolOptions options, async::Timers& timers,
                                             base::Rng& rng, async::OnEscape on_escape) {
  auto origin = parse_origin(options.origin);
  if (!origin) return base::fail(origin.error());
  origin->endpoint.reach = options.reach;
  std::unique_ptr<net::TlsContext> tls;
  if (origin->scheme == "https") {
    auto made = net::TlsContext::create(options.tls);
    if (!made) return base::fail(made.error());
    tls = std::move(*made);
  }
  return std::unique_ptr<Pool>(new Pool(std::move(options), std::move(*origin), std::move(tls),
                                        timers, rng, std::move(on_escape)));
}

Pool::Pool(PoolOptions options, Origin origin, std::unique_ptr<net::TlsContext> tls,
           async::Timers& timers, base::Rng& rng, async::OnEscape on_escape)
    : options_(std::move(options)),
      origin_(std::move(origin)),
      tls_(std::move(tls)),
      timers_(timers),
      on_escape_(std::move(on_escape)),
      plan_({.connections_max = options_.connections_max,
             .backoff_min = options_.backoff_min,
             .backoff_max = options_.backoff_max,
             .failures_to_fail_fast = options_.failures_to_fail_fast},
            rng),
      retry_(timers_, [this] { pump(); }),
      connecting_(timers_.executor(), on_escape_),
      serving_(timers_.executor(), on_escape_) {}

Pool::~Pool() = default;

Task<Result> Pool::send(Request request, Deadline deadline) {
  const ActiveSend active(*this);
  const auto shared = std::make_shared<const Request>(std::move(request));
  std::optional<ConnectionId> avoid;
  bool was_ended = false;
  for (std::size_t resends = 0;; ++resends) {
    Grant granted = co_await acquire(deadline, avoid);
    if (!granted) co_return base::Unexpected<Failure>(std::move(granted).error());
    ++counters_.requests;
    Result result = co_await granted->connection().send(shared, deadline);
    if (result) {
      granted->note_status(result->status);
    } else if (result.error().processed == Processed::no) {
      ++counters_.refused;
    }
    const bool is_ended = result && options_.ends_connection(*result);
    if (is_ended) granted->connection().drain(timers_.after(kOpenStreamsMax));
    const bool again = should_resend(result) || (is_ended && !was_ended);
    if (!again || resends == options_.resends_max) co_return result;
    was_ended = was_ended || is_ended;
    ++counters_.resent;
    avoid = granted->id();
  }
}

Task<Pool::Grant> Pool::acquire(Deadline deadline, std::optional<ConnectionId> avoid) {
  if (stopping_) co_return failure({Errc::unavailable, "the pool is stopping"}, Processed::no);
  if (deadline.passed(now())) {
    co_return failure({Errc::timed_out, "the deadline had passed before the start"}, Processed::no);
  }
  if (waiting_.empty()) {
    if (const auto id = plan_.take_stream(avoid)) co_return lease(*id);
  }
  if (plan_.is_hopeless(now())) co_return failure(last_connect_error_, Processed::no);
  if (waiting_.size() >= options_.waiting_max) {
    co_return failure({Errc::overloaded, "too many requests wait for a stream"}, Processed::no);
  }
  Waiter waiter(*this, deadline);
  pump();
  co_return co_await waiter.granted.wait();
}

Pool::Grant Pool::lease(ConnectionId id) { return Lease(*this, id, connections_.at(id)); }

void Pool::pump() {
  grant_waiting();
  if (waiting_.empty() || stopping_) return;
  if (plan_.is_hopeless(now())) {
    fail_waiting(last_connect_error_);
  } else if (plan_.should_connect(now())) {
    connecting_.spawn(connect(plan_.connecting()));
  } else if (now() < plan_.retry_at()) {
    retry_.arm(Deadline(plan_.retry_at()));
  }
}

void Pool::grant_waiting() {
  while (!waiting_.empty()) {
    Waiter& first = *waiting_.front();
    if (first.granted.is_complete()) {  // cancelled, and not yet resumed to see it
      first.leave();
      continue;
    }
    const auto id = plan_.take_stream();
    if (!id) return;
    first.leave();
    first.timer.disarm();
    first.granted.complete(lease(*id));
  }
}

void Pool::fail_waiting(const Error& error) {
  while (!waiting_.empty()) {
    Waiter& first = *waiting_.front();
    first.leave();
    first.timer.disarm();
    first.granted.complete(failure(error, Processed::no));
  }
}

ConnectionOptions Pool::connection_options() const {
  ConnectionOptions options;
  options.session = {.scheme = origin_.scheme,
                     .authority = origin_.authority,
                     .streams_max = options_.streams_max,
                     .response_headers_max = options_.response_headers_max,
                     .response_body_max = options_.response_body_max};
  options.ping_idle = options_.ping_idle;
  options.ping_busy = options_.ping_busy;
  options.ping_timeout = options_.ping_timeout;
  return options;
}

Task<void> Pool::connect(ConnectionId id) {
  auto transport =
      co_await net::Transport::connect(timers_, origin_.endpoint, tls_.get(), options_.timeouts);
  if (!transport) {
    last_connect_error_ = transport.error();
    ++counters_.connect_failures;
    plan_.connect_failed(id, now());
    pump();
    co_return;
  }
  ++counters_.connections_opened;
  const auto changed = [this, id] {
    const auto place = connections_.find(id);
    if (place != connections_.end()) connection_changed(id, *place->second);
  };
  auto connection = std::make_shared<Connection>(
      timers_, std::move(*transport), connection_options(), counters_.traffic, on_escape_, changed);
  connections_.emplace(id, connection);
  plan_.connected(id, connection->limit());
  serving_.spawn(serve(id, connection));
  pump();
}

Task<void> Pool::serve(ConnectionId id, std::shared_ptr<Connection> connection) {
  co_await connection->join();
  connections_.erase(id);
  plan_.closed(id, now());
  pump();
}

void Pool::connection_changed(ConnectionId id, const Connection& connection) {
  plan_.limit_changed(id, connection.limit());
  if (!connection.accepting()) plan_.draining(id, now());
  pump();
}

Task<void> Pool::stop(Deadline deadline) {
  stopping_ = true;
  retry_.disarm();
  fail_waiting({Errc::unavailable, "the pool is stopping"});
  co_await connecting_.stop();
  for (const auto& [id, connection] : connections_) connection->drain(deadline);
  co_await serving_.join();
  if (active_sends_ != 0) {
    no_active_send_ = std::make_shared<async::OneShot<async::Unit>>(timers_.executor());
    co_await no_active_send_->wait();
  }
}

PoolCounters Pool::counters() const {
  PoolCounters counters = counters_;
  counters.connections_open = plan_.connections_open();
  counters.streams_open = plan_.streams_open();
  counters.waiting = waiting_.size();
  return counters;
}

}  // namespace notify::http2
