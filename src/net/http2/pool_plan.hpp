#pragma once
// The decisions of the pool, without sockets: which connection carries the next request, when to
// open another one, when to give up waiting for one. The pool asks, acts, and reports back.
//
// A new connection carries one stream until a response has shown that the credentials are taken
// (APNs demands it with token authentication). A connection that ends before such a response counts
// as a failed attempt, however well it connected: a server that hangs up on us at once must not be
// called in a loop.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "base/clock.hpp"
#include "base/rng.hpp"

namespace notify::http2 {

using ConnectionId = std::uint64_t;

struct PlanOptions {
  std::size_t connections_max = 2;
  std::chrono::milliseconds backoff_min{100};
  std::chrono::milliseconds backoff_max{30'000};
  std::uint32_t failures_to_fail_fast = 3;  ///< attempts in a row
};

/// Threading: one thread.
/// Lifetime:  `rng` outlives this.
/// Limits:    connections_max connections that take requests, as many again that only drain.
class PoolPlan {
 public:
  PoolPlan(PlanOptions options, base::Rng& rng) : options_(options), rng_(rng) {}

  /// Takes a stream on the connection with the fewest; nullopt if none has room. `avoid`, which
  /// just refused this request, is taken only if there is no other. The counterpart is
  /// stream_ended().
  [[nodiscard]] std::optional<ConnectionId> take_stream(
      std::optional<ConnectionId> avoid = std::nullopt);
  void stream_ended(ConnectionId id, bool opens_gate);

  /// Whether a request that waits now calls for another connection: only when every connection
  /// that there is has passed its gate and is full, and one attempt at a time.
  [[nodiscard]] bool should_connect(base::SteadyTime now) const;
  /// When should_connect() may become true by time alone.
  [[nodiscard]] base::SteadyTime retry_at() const { return retry_at_; }
  /// No connection, the last attempts failed and the next is not due: waiting is of no use.
  [[nodiscard]] bool is_hopeless(base::SteadyTime now) const;

  [[nodiscard]] ConnectionId connecting();
  void connected(ConnectionId id, std::size_t streams_max);
  void connect_failed(ConnectionId id, base::SteadyTime now);
  void limit_changed(ConnectionId id, std::size_t streams_max);
  /// It takes no new streams.
  void draining(ConnectionId id, base::SteadyTime now);
  void closed(ConnectionId id, base::SteadyTime now);

  [[nodiscard]] std::size_t streams_open() const;
  [[nodiscard]] std::size_t connections_open() const;

 private:
  enum class State : std::uint8_t { connecting = 1, open, draining };
  struct Connection {
    State state = State::connecting;
    bool gate_open = false;
    std::size_t streams = 0;
    std::size_t streams_max = 0;
  };

  [[nodiscard]] static bool has_room(const Connection& connection);
  void attempt_failed(base::SteadyTime now);

  PlanOptions options_;
  base::Rng& rng_;
  std::map<ConnectionId, Connection> connections_;
  ConnectionId last_id_ = 0;
  std::uint32_t failures_ = 0;
  base::SteadyTime retry_at_ = base::SteadyTime::min();
};

}  // namespace notify::http2
