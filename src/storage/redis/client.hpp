#pragma once
// Commands to Redis for everybody: one pipelined connection shared by all callers of an executor.
// What callers send in one turn of the loop leaves in one write, and answers come back in order.

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/deadline.hpp"
#include "base/rng.hpp"
#include "storage/redis/command.hpp"
#include "storage/redis/reply.hpp"
#include "storage/redis/reply_parser.hpp"
#include "storage/redis/script.hpp"
#include "storage/redis/topology.hpp"
#include "storage/redis/url.hpp"

namespace notify::net {
class TlsContext;
}

namespace notify::redis {

class Connection;
struct Request;

/// What a call does when there is no connection.
enum class WhenDown : std::uint8_t { wait_until_deadline, fail_at_once };

struct ClientOptions {
  std::size_t connections = 1;
  std::size_t in_flight_max = 1024;  ///< calls sent and not answered, on one connection
  std::size_t waiting_max = 8192;    ///< calls waiting for room
  std::size_t waiting_bytes_max = std::size_t{64} << 20;
  std::size_t write_bytes_max = std::size_t{256} << 10;  ///< gathered for the next write
  std::size_t pipeline_max = 10'000;                     ///< commands in one call
  WhenDown when_down = WhenDown::wait_until_deadline;
  std::string client_name = "notification-service";  ///< CLIENT SETNAME; no spaces
  std::string ca_file;                               ///< for rediss://; empty: the system's roots
  std::chrono::milliseconds connect_timeout{3000};
  /// A connection whose oldest call has waited this long is given up. So no blocking commands.
  std::chrono::milliseconds response_limit{10000};
  std::chrono::milliseconds ping_interval{5000};  ///< when idle
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{2000};
  ReplyLimits reply;
  /// For logs: connects and losses. Holds no values and no secrets.
  std::function<void(std::string_view what)> on_event;
};

/// For metrics; the first group only grows.
struct ClientCounters {
  std::uint64_t commands = 0;
  std::uint64_t errors = 0;    ///< calls that got no answer, and commands answered by an error
  std::uint64_t timeouts = 0;  ///< of these, by the caller's deadline
  std::uint64_t writes = 0;    ///< commands / writes: how well calls are coalesced
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t reconnects = 0;        ///< connections that were lost and are being replaced
  std::uint64_t script_fallbacks = 0;  ///< EVALSHA met NOSCRIPT
  std::uint64_t not_primary = 0;       ///< answers that another server is the primary

  std::size_t in_flight = 0;
  std::size_t waiting = 0;
  std::size_t connected = 0;
};

/// One of several scripts for Client::run_all().
/// Lifetime: `script` outlives the call.
struct ScriptCall {
  const Script& script;
  std::vector<std::string> keys;
  std::vector<std::string> arguments;
};

/// Threading: on the executor of `timers` only.
/// Lifetime:  `timers` and `rng` outlive this; `stop()` completes before destruction.
/// Errors:    Errc::unavailable: no answer, and the command was surely not carried out.
///            Errc::timed_out: no answer, by the deadline or because the connection was lost after
///            the command had left; it may have been carried out.
///            Errc::overloaded: a bound of ClientOptions, or Redis is out of memory.
///            Others: the server's answer, by Reply::to_error().
/// Cancel:    a call that still waits is withdrawn; one already sent is carried out.
/// Limits:    ClientOptions.
class Client {
 public:
  /// Errors: Errc::invalid if the topology is not supported or the CA file cannot be read.
  [[nodiscard]] static base::Expected<std::unique_ptr<Client>> create(async::Timers& timers,
                                                                      base::Rng& rng, Url url,
                                                                      ClientOptions options,
                                                                      async::OnEscape on_escape);
  ~Client();

  /// Begins to connect and returns at once; calls may already be made.
  void start();

  /// Refuses new calls, waits until the accepted ones are answered or `deadline` passes, closes.
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline);

  /// An error reply is an Error here.
  [[nodiscard]] async::Task<base::Expected<Reply>> command(Command command,
                                                           base::Deadline deadline);

  /// One reply for each command, in order. Not a transaction: error replies stand in their places.
  [[nodiscard]] async::Task<base::Expected<std::vector<Reply>>> pipeline(
      std::vector<Command> commands, base::Deadline deadline);

  /// EVALSHA, and EVAL if the server does not know the script (any more).
  /// Lifetime: `script` outlives the call.
  [[nodiscard]] async::Task<base::Expected<Reply>> run(const Script& script,
                                                       std::vector<std::string> keys,
                                                       std::vector<std::string> arguments,
                                                       base::Deadline deadline);

  /// Runs them in order, in one round trip; a second one teaches the server those that it does not
  /// know, so these run after the others. One reply for each, in order, as of pipeline().
  [[nodiscard]] async::Task<base::Expected<std::vector<Reply>>> run_all(
      std::vector<ScriptCall> calls, base::Deadline deadline);

  [[nodiscard]] std::size_t connected() const;
  [[nodiscard]] ClientCounters counters() const;

 private:
  Client(async::Timers& timers, base::Rng& rng, Url url, ClientOptions options,
         async::OnEscape on_escape, std::unique_ptr<Topology> topology,
         std::unique_ptr<net::TlsContext> tls);
  void pump();
  void on_change();
  [[nodiscard]] base::Expected<void> admit(const std::vector<Command>& commands,
                                           base::Deadline deadline);
  [[nodiscard]] Connection* least_loaded() const;
  [[nodiscard]] bool idle() const;
  void expire(Request& request);
  void withdraw(Request& request);
  void leave_line(Request& request);
  void fail_waiting(const char* why);

  async::Timers& timers_;
  base::Rng& rng_;
  Url url_;
  ClientOptions options_;
  ClientCounters counters_;
  std::unique_ptr<Topology> topology_;
  std::unique_ptr<net::TlsContext> tls_;
  bool stopping_ = false;
  async::OneShot<async::Unit>* drained_ = nullptr;
  std::list<std::shared_ptr<Request>> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;
  async::TaskGroup tasks_;
};

}  // namespace notify::redis
