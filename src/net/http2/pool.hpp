#pragma once
// Requests to one origin over a few long-lived connections, each filled up to the peer's limit.
// PoolPlan decides, Connection carries; the pool joins them and holds what waits.

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "net/http2/connection.hpp"
#include "net/http2/message.hpp"
#include "net/http2/origin.hpp"
#include "net/http2/pool_plan.hpp"
#include "net/tls/context.hpp"
#include "net/tls/transport.hpp"

namespace notify::http2 {

/// A 2xx, or a 4xx that is about the request: the credentials were taken. 403 and 429 are not.
[[nodiscard]] constexpr bool default_opens_gate(int status) {
  return status / 100 == 2 || (status / 100 == 4 && status != 403 && status != 429);
}

struct PoolOptions {
  std::string origin;  ///< https://host[:port]; http: HTTP/2 without TLS (prior knowledge)
  net::TlsOptions tls;
  net::Reach reach = net::Reach::any_address;
  net::ConnectTimeouts timeouts;
  std::size_t connections_max = 2;
  std::size_t streams_max = 1000;    ///< a connection, below the peer's own limit
  std::size_t waiting_max = 10'000;  ///< requests for which no stream is free
  std::size_t resends_max = 3;       ///< of one request that was certainly not processed
  std::size_t response_headers_max = 16 * 1024;
  std::size_t response_body_max = 64 * 1024;
  std::chrono::milliseconds ping_idle = std::chrono::minutes(55);
  std::chrono::milliseconds ping_busy = std::chrono::seconds(10);
  std::chrono::milliseconds ping_timeout = std::chrono::seconds(5);
  std::chrono::milliseconds backoff_min{100};
  std::chrono::milliseconds backoff_max{30'000};
  std::uint32_t failures_to_fail_fast = 3;  ///< failed attempts in a row
  /// Whether a response with this status shows that a new connection may carry many streams.
  std::function<bool(int status)> opens_gate = default_opens_gate;
  /// Whether a response says that its connection is of no more use. Then that takes no new
  /// requests, and this request is sent once more, on another connection.
  std::function<bool(const Response&)> ends_connection = [](const Response&) { return false; };
};

struct PoolCounters {
  Traffic traffic;
  std::uint64_t connections_opened = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t requests = 0;  ///< given to a connection, repeats too
  std::uint64_t refused = 0;   ///< answers that the request was certainly not processed
  std::uint64_t resent = 0;
  std::size_t connections_open = 0;  ///< now, draining ones too
  std::size_t streams_open = 0;      ///< now
  std::size_t waiting = 0;           ///< now
};

/// Threading: on the executor of `timers` only.
/// Lifetime:  `timers` and `rng` outlive this; stop() completes before destruction, and with it
///            every send().
/// Errors:    send() never throws an error; see there.
/// Limits:    PoolOptions: connections, streams, waiting requests, response sizes.
class Pool {
 public:
  /// Connects to nothing yet.
  /// Errors: Errc::invalid for an origin or trust roots that cannot be used.
  [[nodiscard]] static base::Expected<std::unique_ptr<Pool>> create(PoolOptions options,
                                                                    async::Timers& timers,
                                                                    base::Rng& rng,
                                                                    async::OnEscape on_escape);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// One request and its response. What was certainly not processed is sent again, within the
  /// deadline and `resends_max`.
  /// Errors: Errc::overloaded when too many requests wait; Errc::timed_out at the deadline;
  ///         Errc::unavailable (or Errc::unauthenticated, a refused certificate, or
  ///         Errc::permission_denied, no address within `reach`) when the origin cannot be
  ///         reached or the connection broke; Errc::invalid for a malformed request;
  ///         Errc::corrupt for a response that is malformed or too long.
  /// Cancel: throws operation_aborted; the stream is reset, the peer may have processed it.
  [[nodiscard]] async::Task<Result> send(Request request, base::Deadline deadline);

  /// Refuses new requests and those that wait, lets the open ones end until `deadline`, closes.
  /// Call it once. Cancel: not while connections are open.
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline);

  [[nodiscard]] PoolCounters counters() const;

 private:
  class Lease;
  class ActiveSend;
  struct Waiter;
  using Grant = base::Expected<Lease, Failure>;

  Pool(PoolOptions options, Origin origin, std::unique_ptr<net::TlsContext> tls,
       async::Timers& timers, base::Rng& rng, async::OnEscape on_escape);

  async::Task<Grant> acquire(base::Deadline deadline, std::optional<ConnectionId> avoid);
  [[nodiscard]] Grant lease(ConnectionId id);
  async::Task<void> connect(ConnectionId id);
  async::Task<void> serve(ConnectionId id, std::shared_ptr<Connection> connection);
  void pump();
  void grant_waiting();
  void fail_waiting(const base::Error& error);
  void connection_changed(ConnectionId id, const Connection& connection);
  [[nodiscard]] ConnectionOptions connection_options() const;
  [[nodiscard]] base::SteadyTime now() const { return timers_.clock().steady_now(); }

  PoolOptions options_;
  Origin origin_;
  std::unique_ptr<net::TlsContext> tls_;
  async::Timers& timers_;
  async::OnEscape on_escape_;
  PoolPlan plan_;
  PoolCounters counters_;
  std::unordered_map<ConnectionId, std::shared_ptr<Connection>> connections_;
  std::list<Waiter*> waiting_;
  base::Error last_connect_error_{base::Errc::unavailable, "no attempt to connect yet"};
  bool stopping_ = false;
  std::size_t active_sends_ = 0;
  std::shared_ptr<async::OneShot<async::Unit>> no_active_send_;
  async::Timer retry_;
  async::TaskGroup connecting_;
  async::TaskGroup serving_;
};

}  // namespace notify::http2
