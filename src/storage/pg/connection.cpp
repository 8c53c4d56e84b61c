#include "storage/pg/connection.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <vector>

#include "base/async/with_deadline.hpp"
#include "storage/backoff.hpp"

namespace notify::pg {

namespace {

namespace asio = boost::asio;
using Wait = asio::posix::stream_descriptor::wait_type;
using base::Errc;

/// The server has said that the transaction failed, so it has not been committed, whatever became
/// of the connection. A FATAL (57P0x) can also come between a commit and its answer.
bool surely_failed(const QueryError& failure) {
  return failure.fault != Fault::connection && failure.fault != Fault::stopping &&
         !failure.sqlstate.starts_with("57P0");
}

/// The SQLSTATE of a COMMIT that was cancelled while it waited for a synchronous standby, as of
/// other warnings.
constexpr std::string_view kWarning = "01000";

/// It is committed here, and perhaps on no standby: a failover may undo it.
/// Source: PostgreSQL's SyncRepWaitForLSN(), which warns and lets the COMMIT succeed.
QueryError unconfirmed() {
  return fail(Fault::server, Errc::timed_out,
              "a commit was cancelled while it waited for a synchronous standby", true)
      .error();
}

}  // namespace

Connection::Connection(ConnectionContext context)
    : context_(std::move(context)), hang_timer_(context_.timers, [this] { on_hang_timer(); }) {}

Connection::~Connection() = default;

async::Task<void> Connection::run() {
  struct CloseAtEnd {
    Connection& connection;
    ~CloseAtEnd() { connection.close(Fault::stopping, "the pool is stopping"); }
  } close_at_end{*this};

  for (int failures = 0;;) {
    auto session = co_await async::with_deadline(
        context_.timers, context_.timers.after(context_.options.connect_timeout),
        open_session(context_.timers, context_.url, context_.options,
                     [this](std::string_view sqlstate) { on_notice(sqlstate); }));
    if (session) {
      failures = 0;
      session_ = std::move(*session);
      ++context_.counters.connects;
      report("connected");
      context_.on_change();
      co_await read_until_lost(session_);
      const auto cancellation = co_await asio::this_coro::cancellation_state;
      if (cancellation.cancelled() != asio::cancellation_type::none) co_return;
      ++context_.counters.reconnects;
      report("lost: " + lost_why_);
      close(Fault::connection, "the connection was lost: " + lost_why_);
    } else {
      ++context_.counters.connect_failures;
      report("cannot connect: " + session.error().detail);
    }
    co_await context_.timers.sleep_for(storage::backoff(
        context_.rng, failures, context_.options.backoff_min, context_.options.backoff_max));
    ++failures;
  }
}

bool Connection::send(const std::shared_ptr<Request>& request) {
  if (!prepare_all(*request)) {
    give_up("the connection does not take a statement");
    return false;
  }
  PGconn* const raw = session_->raw();
  for (const Query& query : request->queries) {
    const Params::View params = query.params.view();
    const bool sent =
        query.is_prepared()
            ? PQsendQueryPrepared(raw, query.statement.name.data(),
                                  static_cast<int>(params.values.size()), params.values.data(),
                                  params.lengths.data(), params.formats.data(), 0) == 1
            : PQsendQueryParams(raw, query.made_sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr,
                                0) == 1;
    if (!sent) {
      // Without its sync the server rolls back whatever of it arrives.
      give_up("the connection does not take a statement");
      return false;
    }
  }
  const bool synced = PQpipelineSync(raw) == 1;
  context_.counters.queries += request->queries.size();
  for (Query& query : request->queries) query.params = Params{};  // libpq has its own copy
  request->state = Request::State::sent;
  request->connection = this;
  segments_.push_back(Segment{request, {}, std::nullopt, next_number_++});
  ++calls_in_flight_;
  if (synced) {
    flush();
  } else {
    give_up("the connection does not take a sync");
  }
  return true;
}

bool Connection::prepare_all(const Request& request) {
  for (const Query& query : request.queries) {
    const Statement& statement = query.statement;
    if (!query.is_prepared() || prepared_.contains(statement.name)) continue;
    if (PQsendPrepare(session_->raw(), statement.name.data(), statement.sql.data(), 0, nullptr) !=
            1 ||
        PQpipelineSync(session_->raw()) != 1) {
      return false;
    }
    prepared_.insert(statement.name);
    failed_prepares_.erase(statement.name);
    segments_.push_back(Segment{nullptr, statement, std::nullopt, next_number_++});
  }
  return true;
}

void Connection::flush() {
  if (flushing_) return;
  const int left = PQflush(session_->raw());
  if (left < 0) {
    give_up("writing failed");
  } else if (left > 0) {
    flushing_ = true;  // before the spawn, which runs the task up to its first wait
    if (!context_.tasks.spawn(flush_until_written(session_))) flushing_ = false;
  }
}

async::Task<void> Connection::flush_until_written(std::shared_ptr<Session> session) {
  boost::system::error_code error;
  // The session can be replaced meanwhile: then this task only lets the old one go.
  while (session_ == session) {
    const int left = PQflush(session->raw());
    if (left <= 0) {
      flushing_ = false;
      if (left < 0) give_up("writing failed");
      context_.on_change();
      co_return;
    }
    co_await session->socket().async_wait(Wait::wait_write,
                                          asio::redirect_error(async::kUseAwaitable, error));
  }
}

async::Task<void> Connection::read_until_lost(std::shared_ptr<Session> session) {
  boost::system::error_code error;
  while (lost_why_.empty()) {
    co_await session->socket().async_wait(Wait::wait_read,
                                          asio::redirect_error(async::kUseAwaitable, error));
    if (!lost_why_.empty()) co_return;
    const bool alive = !error && session->consume_input();
    take_results();  // also of a dead connection: it may have said why
    if (!alive || PQstatus(session->raw()) == CONNECTION_BAD) {
      if (lost_why_.empty()) lost_why_ = error ? error.message() : session->last_error();
      if (lost_why_.empty()) lost_why_ = "closed by the server";
      co_return;
    }
    if (retiring_ && segments_.empty()) give_up("its session is out of date");
    context_.on_change();
  }
}

void Connection::take_results() {
  PGconn* const raw = session_->raw();
  bool after_null = false;
  while (!segments_.empty() && PQisBusy(raw) == 0) {
    PGresult* const result = PQgetResult(raw);
    if (result == nullptr) {
      // One NULL ends a statement; a second says that nothing more has arrived.
      if (after_null || PQstatus(raw) == CONNECTION_BAD) return;
      after_null = true;
      continue;
    }
    after_null = false;
    Segment& segment = segments_.front();
    switch (PQresultStatus(result)) {
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        if (segment.request) {
          segment.request->results.emplace_back(result);
        } else {
          PQclear(result);
        }
        break;
      case PGRES_PIPELINE_SYNC:
        PQclear(result);
        finish_segment();
        break;
      case PGRES_PIPELINE_ABORTED:  // the reason was the result before
        PQclear(result);
        break;
      default:
        if (!segment.failure) segment.failure = error_of(result);
        PQclear(result);
    }
  }
}

/// libpq hands a notice out as soon as it has read it: the result of the statement before it may
/// still be untaken, but no later one is read before that.
void Connection::on_notice(std::string_view sqlstate) {
  ++context_.counters.notices;
  report("notice " + std::string(sqlstate));
  if (sqlstate != kWarning || segments_.empty() || !segments_.front().request) return;
  Segment& segment = segments_.front();
  const bool is_at_commit = segment.request->results.size() + 1 >= segment.request->queries.size();
  if (is_at_commit) segment.is_unconfirmed = true;
}

void Connection::finish_segment() {
  Segment segment = std::move(segments_.front());
  segments_.pop_front();
  if (!segment.request) {
    if (segment.failure) {
      prepared_.erase(segment.statement.name);
      failed_prepares_.insert_or_assign(segment.statement.name, std::move(*segment.failure));
    }
    return;
  }
  --calls_in_flight_;
  if (hang_timer_armed_ && segment.number >= suspect_) look_for_overdue();
  Request& request = *segment.request;
  if (segment.failure && segment.failure->sqlstate == "26000") {
    // The statement is missing because its PREPARE failed: that is the error to tell.
    for (const Query& query : request.queries) {
      const auto failed = failed_prepares_.find(query.statement.name);
      if (failed == failed_prepares_.end()) continue;
      segment.failure = failed->second;
      break;
    }
  }
  if (segment.is_unconfirmed && !segment.failure) segment.failure = unconfirmed();
  if (segment.failure && session_is_stale(segment.failure->sqlstate)) retiring_ = true;
  request.failure = std::move(segment.failure);
  finish_call(request);
}

void Connection::finish_call(Request& request) {
  if (request.state == Request::State::over) return;  // the caller has given up: counted there
  if (request.failure) {
    ++context_.counters.errors;
    request.complete(fail(std::move(*request.failure)));
  } else {
    ++context_.counters.transactions;
    request.complete(std::move(request.results));
  }
}

void Connection::give_up(const char* why) {
  if (lost_why_.empty()) lost_why_ = why;
  retiring_ = true;
  boost::system::error_code ignored;
  if (session_) session_->socket().cancel(ignored);  // wakes the reader, which closes
}

void Connection::close(Fault fault, const std::string& why) {
  hang_timer_.disarm();
  hang_timer_armed_ = false;
  while (!segments_.empty()) {
    Segment segment = std::move(segments_.front());
    segments_.pop_front();
    if (!segment.request) continue;
    --calls_in_flight_;
    Request& request = *segment.request;
    request.failure = std::move(segment.failure);
    if (!request.failure) {
      request.failure = fail(fault, Errc::unavailable, why).error();
    }
    request.failure->outcome_unknown = !surely_failed(*request.failure);
    finish_call(request);
  }
  prepared_.clear();
  failed_prepares_.clear();
  flushing_ = false;
  retiring_ = false;
  lost_why_.clear();
  if (session_) {
    boost::system::error_code ignored;
    session_->socket().cancel(ignored);  // ends a flush that still holds the session
    session_.reset();
  }
  context_.on_change();
}

void Connection::note_overdue() {
  if (hang_timer_armed_ || segments_.empty()) return;
  hang_timer_armed_ = true;
  suspect_ = segments_.front().number;
  hang_timer_.arm(context_.timers.after(context_.options.hang_limit));
}

void Connection::look_for_overdue() {
  hang_timer_.disarm();
  hang_timer_armed_ = false;
  const bool overdue = std::ranges::any_of(segments_, [](const Segment& segment) {
    return segment.request && segment.request->state == Request::State::over;
  });
  if (overdue) note_overdue();
}

void Connection::on_hang_timer() {
  hang_timer_armed_ = false;
  if (segments_.empty()) return;
  const Segment& oldest = segments_.front();
  const bool nobody_waits = !oldest.request || oldest.request->state == Request::State::over;
  if (oldest.number == suspect_ && nobody_waits) return give_up("the server does not answer");
  look_for_overdue();
  context_.on_change();
}

void Connection::report(std::string_view what) const {
  if (context_.options.on_event) context_.options.on_event(what);
}

}  // namespace notify::pg
