#pragma once
// One PGconn in non-blocking pipeline mode with its socket on Asio: connecting and the session's
// settings. Private to storage/pg.

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/task.hpp"
#include "base/expected.hpp"
#include "base/secret.hpp"
#include "storage/pg/error.hpp"
#include "storage/pg/pool.hpp"

struct pg_conn;  // libpq's

namespace notify::pg {

/// Threading: one executor.
/// Lifetime:  whoever waits on `socket()` holds the session; closing is the destructor.
class Session {
 public:
  /// `on_notice` gets the SQLSTATE of each notice.
  using OnNotice = std::function<void(std::string_view sqlstate)>;

  Session(pg_conn* connection, const async::Executor& executor, OnNotice on_notice);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] pg_conn* raw() const { return connection_; }
  [[nodiscard]] boost::asio::posix::stream_descriptor& socket() { return socket_; }

  /// Watches the descriptor that libpq uses now; it can change from step to step of a connect.
  [[nodiscard]] bool watch_socket();

  /// Takes what has arrived, all of it. False: the connection is lost.
  [[nodiscard]] bool consume_input();

  /// libpq's last message on one line.
  [[nodiscard]] std::string last_error() const;

 private:
  pg_conn* connection_;
  OnNotice on_notice_;
  /// Watches a duplicate, so that libpq may close its own descriptor whenever it likes.
  boost::asio::posix::stream_descriptor socket_;
};

/// Connects and applies the settings: UTC, UTF-8, custom plans, timeouts. `url` and `options`
/// outlive the task. Looking names up may take half of the connect timeout; the rest has no
/// deadline of its own. Errors: Errc::unavailable, Errc::unauthenticated, with libpq's message.
/// Cancel: closes what was opened.
[[nodiscard]] async::Task<base::Expected<std::shared_ptr<Session>>> open_session(
    async::Timers& timers, const base::Secret& url, const PoolOptions& options,
    Session::OnNotice on_notice);

/// The error of a failed result.
[[nodiscard]] QueryError error_of(const pg_result* result);

}  // namespace notify::pg
