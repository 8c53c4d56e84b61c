#pragma once
// Runs SQL for everybody: a few connections in libpq's pipeline mode, shared by all callers of one
// executor. A caller never owns a connection; its statements are put behind those of others in the
// pipeline of the least loaded one, and each call is one transaction of its own.

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
#include "base/secret.hpp"
#include "storage/pg/error.hpp"
#include "storage/pg/query.hpp"
#include "storage/pg/result.hpp"

namespace notify::pg {

class Connection;
struct Request;

/// How the server plans prepared statements. custom: for each run, with its parameters, so that
/// partitions are left out by their bounds; and without sorting wherever an index has the order, or
/// a page of a partition that has no statistics yet would read and sort all of it. generic: once,
/// since planning a statement with many partitions and CTEs costs more than running it.
enum class Plans : std::uint8_t { custom = 1, generic };

struct PoolOptions {
  std::size_t connections = 2;
  std::size_t in_flight_max = 32;  ///< calls in the pipeline of one connection
  std::size_t waiting_max = 4096;  ///< calls waiting for room in a pipeline
  Plans plans = Plans::custom;
  std::string application_name = "notification-service";
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds statement_timeout{30000};  ///< the server's own bound; 0: none
  std::chrono::milliseconds lock_timeout{0};           ///< 0: none
  /// A connection whose oldest call is this much past its deadline is given up and replaced.
  std::chrono::milliseconds hang_limit{5000};
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{5000};
  /// For logs: connects, losses, and server notices by SQLSTATE. Holds no values and no secrets.
  std::function<void(std::string_view what)> on_event;
};

/// For metrics; the first group only grows.
struct PoolCounters {
  std::uint64_t queries = 0;       ///< statements given to the server
  std::uint64_t transactions = 0;  ///< calls that were committed
  std::uint64_t errors = 0;        ///< calls that failed in any way
  std::uint64_t timeouts = 0;      ///< of these, by the caller's deadline
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t reconnects = 0;  ///< connections that were lost and are being replaced
  std::uint64_t notices = 0;

  std::size_t in_flight = 0;
  std::size_t waiting = 0;
  std::size_t connected = 0;
};

/// Threading: on the executor of `timers` only.
/// Lifetime:  `timers` and `rng` outlive this; `stop()` completes before destruction.
/// Errors:    QueryError; nothing is repeated here, since only the caller knows what is idempotent.
///            A call that finds no connection waits for one until its deadline.
/// Cancel:    a call that still waits is withdrawn; one already sent runs on, its result is
/// dropped. Limits:    PoolOptions; one call's statements and parameters are copied once.
class Pool {
 public:
  Pool(async::Timers& timers, base::Rng& rng, base::Secret url, PoolOptions options,
       async::OnEscape on_escape);
  ~Pool();

  /// Begins to connect and returns at once; calls may already be made.
  void start();

  /// Refuses new calls, waits until the accepted ones are answered or `deadline` passes, then
  /// closes all connections. What is left fails with Fault::stopping.
  [[nodiscard]] async::Task<void> stop(base::Deadline deadline);

  /// One statement, committed by itself.
  [[nodiscard]] async::Task<Expected<Result>> query(Query query, base::Deadline deadline);

  /// One statement whose text is made at run time, for example DETACH PARTITION of some name. It is
  /// in no transaction block, so statements that refuse those can be run.
  [[nodiscard]] async::Task<Expected<Result>> run_made_sql(std::string sql,
                                                           base::Deadline deadline);

  /// Statements in one implicit transaction: all take effect, or none does. A statement sees what
  /// those before it did; nothing is returned before the last one is committed.
  [[nodiscard]] async::Task<Expected<std::vector<Result>>> transaction(std::vector<Query> queries,
                                                                       base::Deadline deadline);

  [[nodiscard]] std::size_t connected() const;
  [[nodiscard]] PoolCounters counters() const;

 private:
  void pump();
  void on_change();
  [[nodiscard]] Connection* least_loaded() const;
  [[nodiscard]] bool idle() const;
  void expire(Request& request);
  void withdraw(Request& request);
  void fail_waiting();

  async::Timers& timers_;
  base::Rng& rng_;
  base::Secret url_;
  PoolOptions options_;
  PoolCounters counters_;
  bool stopping_ = false;
  async::OneShot<async::Unit>* drained_ = nullptr;
  std::list<std::shared_ptr<Request>> waiting_;
  std::vector<std::unique_ptr<Connection>> connections_;
  async::TaskGroup tasks_;
};

}  // namespace notify::pg
