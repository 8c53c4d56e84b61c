#pragma once
// One connection to PostgreSQL: connects, runs the pipeline, finds out that it was lost, connects
// again. Private to storage/pg; callers see Pool.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "storage/pg/error.hpp"
#include "storage/pg/pool.hpp"
#include "storage/pg/request.hpp"
#include "storage/pg/session.hpp"

namespace notify::pg {

/// What a connection shares with its pool.
struct ConnectionContext {
  async::Timers& timers;
  base::Rng& rng;
  const base::Secret& url;
  const PoolOptions& options;
  PoolCounters& counters;
  async::TaskGroup& tasks;
  std::function<void()> on_change;  ///< there is room again, or a call is over
};

/// The pipeline is a line of segments, each ended by a sync: a call's statements, or one PREPARE.
/// PREPARE is a segment of its own, so that the failure of the call that wanted it cannot undo it.
///
/// Threading: one executor.
/// Lifetime:  outlives the tasks in `tasks`.
/// Errors:    calls in flight when the connection is lost fail with outcome_unknown.
class Connection {
 public:
  explicit Connection(ConnectionContext context);
  ~Connection();

  /// Keeps the connection up until cancelled.
  [[nodiscard]] async::Task<void> run();

  [[nodiscard]] bool is_ready() const { return session_ != nullptr && !retiring_; }
  /// No more is handed to libpq than the socket takes, and nothing is put behind a call that is
  /// overdue: what waits in the pool can still be withdrawn, or go to another connection, and fails
  /// without doubt about its outcome.
  [[nodiscard]] bool has_room() const {
    return is_ready() && !flushing_ && !hang_timer_armed_ &&
           in_flight() < context_.options.in_flight_max;
  }
  [[nodiscard]] std::size_t in_flight() const { return calls_in_flight_; }

  /// Takes the call over. False if the connection turned out to be unusable; the call is untouched.
  [[nodiscard]] bool send(const std::shared_ptr<Request>& request);

  /// A caller has given up on a call sent here: from now on the server has `hang_limit`.
  void note_overdue();

 private:
  struct Segment {
    std::shared_ptr<Request> request;  ///< null: a PREPARE
    Statement statement;               ///< of the PREPARE
    std::optional<QueryError> failure;
    std::uint64_t number = 0;
    bool is_unconfirmed = false;  ///< its commit did not wait for the synchronous standby
  };

  [[nodiscard]] async::Task<void> read_until_lost(std::shared_ptr<Session> session);
  [[nodiscard]] async::Task<void> flush_until_written(std::shared_ptr<Session> session);
  [[nodiscard]] bool prepare_all(const Request& request);
  void flush();
  void take_results();
  void on_notice(std::string_view sqlstate);
  void finish_segment();
  void finish_call(Request& request);
  void give_up(const char* why);
  void close(Fault fault, const std::string& why);
  void look_for_overdue();
  void on_hang_timer();
  void report(std::string_view what) const;

  ConnectionContext context_;
  std::shared_ptr<Session> session_;  ///< null while not connected
  bool flushing_ = false;             ///< the socket is full; a task waits for it
  bool retiring_ = false;             ///< takes no more calls; replaced when the last is answered
  std::string lost_why_;
  std::deque<Segment> segments_;
  std::size_t calls_in_flight_ = 0;
  std::uint64_t next_number_ = 0;
  std::unordered_set<std::string_view> prepared_;
  std::unordered_map<std::string_view, QueryError> failed_prepares_;
  async::Timer hang_timer_;
  bool hang_timer_armed_ = false;
  std::uint64_t suspect_ = 0;  ///< the segment that was oldest when the timer was armed
};

}  // namespace notify::pg
