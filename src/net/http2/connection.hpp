#pragma once
// One HTTP/2 connection: a Session with a socket and a clock. All that callers hand in within one
// turn of the executor leaves in one TLS write.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "net/http2/session.hpp"
#include "net/tls/transport.hpp"

namespace notify::http2 {

struct ConnectionOptions {
  SessionOptions session;
  std::size_t write_size = 32 * 1024;  ///< a write stops growing here; bytes
  /// A PING leaves after so long without a byte from the peer. Idle: APNs allows one an hour, and
  /// proxies cut a TCP connection after an hour of silence. Busy: while streams are open.
  std::chrono::milliseconds ping_idle = std::chrono::minutes(55);
  std::chrono::milliseconds ping_busy = std::chrono::seconds(10);
  std::chrono::milliseconds ping_timeout = std::chrono::seconds(5);
};

/// Sums over connections, for metrics.
struct Traffic {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t write_calls = 0;
  std::uint64_t goaways = 0;   ///< received
  std::uint64_t timeouts = 0;  ///< requests whose deadline passed
};

/// Threading: on the executor of `timers` only.
/// Lifetime:  `timers` and `traffic` outlive this; join() completes before destruction; whoever
///            awaits send() keeps this alive until then.
/// Errors:    every send() ends with a response or a Failure; a lost connection fails all of them.
/// Limits:    SessionOptions; one read buffer of 16 KiB and one write of about `write_size`.
class Connection {
 public:
  /// `on_change` is called when limit() or accepting() may have changed; it must not destroy this.
  Connection(async::Timers& timers, std::unique_ptr<net::Transport> transport,
             ConnectionOptions options, Traffic& traffic, async::OnEscape on_escape,
             std::function<void()> on_change);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Errors: Errc::timed_out when the deadline passes (the stream is reset), Processed::unknown
  /// once
  ///         HEADERS was written; otherwise as Session.
  /// Cancel: throws operation_aborted; the stream is reset, the peer may have processed it.
  [[nodiscard]] async::Task<Result> send(std::shared_ptr<const Request> request,
                                         base::Deadline deadline);

  /// Takes no new streams, lets the open ones end until `deadline`, says GOAWAY and closes. If it
  /// is called again, the last deadline counts.
  void drain(base::Deadline deadline);

  /// Waits until the connection is closed. Call it once.
  [[nodiscard]] async::Task<void> join();

  [[nodiscard]] bool accepting() const;
  [[nodiscard]] std::size_t limit() const { return session_.limit(); }
  [[nodiscard]] std::size_t open_streams() const { return session_.open_streams(); }

 private:
  struct Pending;

  async::Task<void> read_loop();
  async::Task<void> write_loop();
  void wake_writer();
  void dispatch();
  void on_event(StreamEnded& ended);
  void on_event(const LimitChanged&) {}
  void on_event(const GoingAway&) { ++traffic_.goaways; }
  void on_event(const PingAnswered&);
  void lose(const base::Error& error);
  void check_health();
  void on_drain_deadline();
  [[nodiscard]] base::SteadyTime now() const { return timers_.clock().steady_now(); }
  [[nodiscard]] base::SteadyTime health_due() const;

  async::Timers& timers_;
  std::unique_ptr<net::Transport> transport_;
  ConnectionOptions options_;
  Traffic& traffic_;
  std::function<void()> on_change_;
  Session session_;
  std::unordered_map<StreamId, Pending*> pending_;
  async::OneShot<async::Unit>* sleeping_writer_ = nullptr;
  bool draining_ = false;
  bool said_goodbye_ = false;
  bool lost_ = false;
  bool ping_under_way_ = false;
  base::SteadyTime quiet_since_;
  async::Timer health_;
  async::Timer drain_;
  async::TaskGroup tasks_;
};

}  // namespace notify::http2
