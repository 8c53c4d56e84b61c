#include "storage/pg/pool.hpp"

#include <algorithm>

#include "storage/pg/connection.hpp"
#include "storage/pg/request.hpp"

namespace notify::pg {

using base::Errc;

Pool::Pool(async::Timers& timers, base::Rng& rng, base::Secret url, PoolOptions options,
           async::OnEscape on_escape)
    : timers_(timers),
      rng_(rng),
      url_(std::move(url)),
      options_(std::move(options)),
      tasks_(timers.executor(), std::move(on_escape)) {}

Pool::~Pool() = default;

void Pool::start() {
  for (std::size_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(ConnectionContext{
        timers_, rng_, url_, options_, counters_, tasks_, [this] { on_change(); }}));
    tasks_.spawn(connections_.back()->run());
  }
}

async::Task<void> Pool::stop(base::Deadline deadline) {
  stopping_ = true;
  if (!idle()) {
    async::OneShot<async::Unit> drained(timers_.executor());
    async::Timer give_up(timers_, [&drained] { drained.complete({}); });
    give_up.arm(deadline);
    struct Unregister {
      async::OneShot<async::Unit>*& place;
      ~Unregister() { place = nullptr; }
    } unregister{drained_};
    drained_ = &drained;
    co_await drained.wait();
  }
  fail_waiting();
  co_await tasks_.stop();
}

async::Task<Expected<Result>> Pool::query(Query query, base::Deadline deadline) {
  std::vector<Query> one;
  one.push_back(std::move(query));
  auto results = co_await transaction(std::move(one), deadline);
  if (!results) co_return fail(std::move(results.error()));
  co_return std::move(results->front());
}

async::Task<Expected<Result>> Pool::run_made_sql(std::string sql, base::Deadline deadline) {
  return query(Query{{}, {}, std::move(sql)}, deadline);
}

async::Task<Expected<std::vector<Result>>> Pool::transaction(std::vector<Query> queries,
                                                             base::Deadline deadline) {
  const auto refuse = [this](Fault fault, Errc code, const char* why) {
    ++counters_.errors;
    return fail(fault, code, why);
  };
  if (stopping_) co_return refuse(Fault::stopping, Errc::unavailable, "the pool is stopping");
  if (queries.empty()) co_return refuse(Fault::programming, Errc::internal, "no statement");
  if (std::ranges::any_of(queries, [](const Query& q) { return q.params.invalid(); })) {
    co_return refuse(Fault::bad_data, Errc::invalid, "a text parameter contains a NUL byte");
  }
  if (deadline.passed(timers_.clock().steady_now())) {
    ++counters_.timeouts;
    co_return refuse(Fault::deadline, Errc::timed_out, "the deadline had passed before the start");
  }
  if (waiting_.size() >= options_.waiting_max) {
    co_return refuse(Fault::bound, Errc::overloaded, "too many statements are waiting");
  }

  auto request = std::make_shared<Request>(timers_.executor(), std::move(queries));
  async::Timer expiry(timers_, [this, request] { expire(*request); });
  expiry.arm(deadline);
  request->place = waiting_.insert(waiting_.end(), request);
  pump();
  try {
    co_return co_await request->done.wait();
  } catch (...) {
    withdraw(*request);
    throw;
  }
}

void Pool::pump() {
  while (!waiting_.empty()) {
    Connection* const connection = least_loaded();
    if (connection == nullptr) return;
    // Out of the line first: sending can make room, and so come back here.
    std::list<std::shared_ptr<Request>> next;
    next.splice(next.begin(), waiting_, waiting_.begin());
    // If it could not be sent, the connection takes itself out of service: try the next one.
    if (!connection->send(next.front())) waiting_.splice(waiting_.begin(), next);
  }
}

void Pool::on_change() {
  pump();
  if (drained_ != nullptr && idle()) drained_->complete({});
}

Connection* Pool::least_loaded() const {
  Connection* best = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->has_room()) continue;
    if (best == nullptr || connection->in_flight() < best->in_flight()) best = connection.get();
  }
  return best;
}

bool Pool::idle() const {
  return waiting_.empty() && std::ranges::all_of(connections_, [](const auto& connection) {
           return connection->in_flight() == 0;
         });
}

void Pool::expire(Request& request) {
  if (request.state == Request::State::over) return;
  ++counters_.errors;
  ++counters_.timeouts;
  if (request.state == Request::State::sent) {
    Connection* const connection = request.connection;
    request.complete(fail(Fault::deadline, Errc::timed_out,
                          "the deadline passed before PostgreSQL answered", true));
    connection->note_overdue();
    return;
  }
  waiting_.erase(request.place);
  if (connected() == 0) {
    request.complete(fail(Fault::connection, Errc::unavailable, "no connection to PostgreSQL"));
  } else {
    request.complete(
        fail(Fault::deadline, Errc::timed_out, "the deadline passed before a connection had room"));
  }
  if (drained_ != nullptr && idle()) drained_->complete({});
}

void Pool::withdraw(Request& request) {
  if (request.state == Request::State::waiting) waiting_.erase(request.place);
  request.state = Request::State::over;
}

void Pool::fail_waiting() {
  while (!waiting_.empty()) {
    const std::shared_ptr<Request> request = waiting_.front();
    waiting_.pop_front();
    ++counters_.errors;
    request->complete(fail(Fault::stopping, Errc::unavailable, "the pool is stopping"));
  }
}

std::size_t Pool::connected() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& connection) { return connection->is_ready(); }));
}

PoolCounters Pool::counters() const {
  PoolCounters all = counters_;
  all.waiting = waiting_.size();
  all.connected = connected();
  for (const auto& connection : connections_) all.in_flight += connection->in_flight();
  return all;
}

}  // namespace notify::pg
