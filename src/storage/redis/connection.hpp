#pragma once
// One pipelined connection to a Redis node: connects, introduces itself, sends and matches replies,
// finds out that it was lost, connects again. Private to storage/redis; callers see Client.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "storage/redis/client.hpp"
#include "storage/redis/reply_parser.hpp"
#include "storage/redis/request.hpp"
#include "storage/redis/stream.hpp"

namespace notify::redis {

/// What a connection shares with its client.
struct ConnectionContext {
  async::Timers& timers;
  base::Rng& rng;
  const Url& url;
  const ClientOptions& options;
  ClientCounters& counters;
  Topology& topology;
  const net::TlsContext* tls;
  async::TaskGroup& tasks;
  std::function<void()> on_change;  ///< there is room again, or calls are over
};

/// Threading: one executor.
/// Lifetime:  outlives the tasks in `tasks`.
/// Errors:    when the connection is lost, calls that had left are Errc::timed_out (they may have
///            been carried out), the others Errc::unavailable.
class Connection {
 public:
  explicit Connection(ConnectionContext context);
  ~Connection();

  /// Keeps the connection up until cancelled.
  [[nodiscard]] async::Task<void> run();

  [[nodiscard]] bool is_ready() const { return stream_ != nullptr && lost_why_.empty(); }
  [[nodiscard]] bool has_room() const {
    return is_ready() && in_flight_.size() < context_.options.in_flight_max &&
           out_.size() < context_.options.write_bytes_max;
  }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

  /// Takes the call over; needs has_room(). It leaves with the next turn of the loop.
  void send(const std::shared_ptr<Request>& request);

 private:
  struct Sent {
    std::shared_ptr<Request> request;
    base::SteadyTime since;
  };

  [[nodiscard]] async::Task<base::Expected<std::shared_ptr<Stream>>> open();
  [[nodiscard]] async::Task<base::Expected<async::Unit>> introduce(std::shared_ptr<Stream> stream);
  [[nodiscard]] async::Task<void> read_until_lost(std::shared_ptr<Stream> stream);
  [[nodiscard]] async::Task<void> write_all(std::shared_ptr<Stream> stream);
  [[nodiscard]] bool take_replies(std::string_view bytes);
  void take_reply(Reply reply);
  void give_up(std::string why);
  void close(const std::string& why);
  void check_health();
  void report(std::string_view what) const;

  ConnectionContext context_;
  std::shared_ptr<Stream> stream_;  ///< null while not connected
  std::unique_ptr<ReplyParser> parser_;
  std::string lost_why_;
  std::string out_;            ///< encoded, for the next write
  std::size_t unwritten_ = 0;  ///< how many of the youngest in flight are still in `out_`
  bool writing_ = false;
  std::deque<Sent> in_flight_;
  async::Timer health_timer_;
};

}  // namespace notify::redis
