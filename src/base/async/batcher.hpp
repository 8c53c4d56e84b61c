#pragma once
// Group commit for anything: concurrent callers hand in items, one flush carries many of them, and
// each caller gets its own results. An item that finds a free flight leaves at once, and company
// forms while the flights are in the air; under load, flights keep a distance, so that fewer carry
// more.

#include <boost/asio/post.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/async/task_group.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"

namespace notify::async {

struct BatcherLimits {
  std::size_t batch_max = 500;      ///< items in one flush
  std::size_t flights_max = 2;      ///< flushes at once
  std::size_t waiting_max = 20000;  ///< items accepted but not yet in a flush
  /// Flights depart at least this far apart, unless one is full. Nobody waits longer for company,
  /// and who comes alone does not wait at all.
  std::chrono::milliseconds interval{0};
};

/// Items wait in lanes, one for each caller that the flush should treat alike: seats of a flight go
/// to the lanes in turn, so that a thousand items of one caller delay those of another by little.
///
/// Threading: one executor.
/// Lifetime:  outlives its callers; `stop()` completes before destruction.
/// Errors:    Errc::overloaded at once when waiting_max is reached; else the flush's result.
/// Cancel:    a cancelled caller stops waiting; its items are flushed all the same.
template <class In, class Out>
class Batcher {
 public:
  using Results = std::vector<base::Expected<Out>>;
  /// Gets 1..batch_max items and returns as many results, in the same order.
  using Flush = std::function<Task<Results>(std::vector<In>)>;

  Batcher(Timers& timers, BatcherLimits limits, OnEscape on_escape, Flush flush)
      : timers_(timers),
        limits_(limits),
        flush_(std::move(flush)),
        flights_(timers.executor(), std::move(on_escape)) {}

  [[nodiscard]] Task<base::Expected<Out>> submit(In item) {
    std::vector<In> alone;
    alone.push_back(std::move(item));
    Results results = co_await submit(std::move(alone), {});
    co_return std::move(results.front());
  }

  /// One result for each item, in the same order. All are let in, or none.
  [[nodiscard]] Task<Results> submit(std::vector<In> items, std::string lane) {
    const std::size_t size = items.size();
    if (size == 0) co_return Results();
    if (waiting_ + size > limits_.waiting_max) {
      co_return refuse(size, {base::Errc::overloaded, "too many writes are waiting"});
    }
    auto party = std::make_shared<Party>(flights_.executor(), size);
    std::deque<Waiting>& queue = lane_named(std::move(lane)).waiting;
    for (std::size_t i = 0; i < size; ++i) queue.push_back({std::move(items[i]), party, i});
    waiting_ += size;
    if (flights_in_air_ < limits_.flights_max && !depart()) {
      co_return refuse(size, {base::Errc::unavailable, "the service is stopping"});
    }
    co_await party->landed.wait();
    co_return std::move(party->results);
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_; }

  /// Waits until all that was submitted has been flushed; refuses what comes after.
  [[nodiscard]] Task<void> stop() { return flights_.join(); }

 private:
  /// Items that were submitted together, and are answered together.
  struct Party {
    Party(const Executor& executor, std::size_t size)
        : landed(executor), left(size), results(refuse(size, {base::Errc::internal, {}})) {}
    OneShot<Unit> landed;
    std::size_t left;
    Results results;
  };
  struct Waiting {
    In item;
    std::shared_ptr<Party> party;
    std::size_t index = 0;  ///< in its party
  };
  struct Seat {
    std::shared_ptr<Party> party;
    std::size_t index = 0;
  };
  struct Lane {
    std::string name;
    std::deque<Waiting> waiting;
  };

  static Results refuse(std::size_t size, const base::Error& why) {
    return Results(size, base::Unexpected<base::Error>(why));
  }

  /// Lanes are as many as callers that wait right now: few, and a search is cheaper than a map.
  Lane& lane_named(std::string name) {
    for (Lane& lane : lanes_) {
      if (lane.name == name) return lane;
    }
    lanes_.push_back({std::move(name), {}});
    return lanes_.back();
  }

  bool depart() {
    ++flights_in_air_;
    if (flights_.spawn(fly())) return true;
    --flights_in_air_;
    return false;
  }

  /// Waits until the next flight may depart. Another one may leave in the meantime and take all.
  Task<void> keep_distance() {
    if (waiting_ >= limits_.batch_max) co_return;
    const base::SteadyTime now = timers_.clock().steady_now();
    if (next_departure_ > now) {
      const base::Deadline departure = base::Deadline(next_departure_);
      next_departure_ += limits_.interval;
      co_await timers_.sleep_until(departure);
    } else {
      next_departure_ = now + limits_.interval;
    }
  }

  /// The next item of the lane whose turn it is.
  Waiting next() {
    Lane lane = std::move(lanes_.front());
    lanes_.pop_front();
    Waiting first = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    --waiting_;
    if (!lane.waiting.empty()) lanes_.push_back(std::move(lane));
    return first;
  }

  Task<void> fly() {
    // A flight departs with the next turn of the loop, so that all who are ready now are on board.
    co_await asio::post(flights_.executor(), kUseAwaitable);
    while (waiting_ > 0) {
      co_await keep_distance();
      std::vector<In> items;
      std::vector<Seat> seats;
      while (waiting_ > 0 && items.size() < limits_.batch_max) {
        Waiting one = next();
        items.push_back(std::move(one.item));
        seats.push_back({std::move(one.party), one.index});
      }
      if (items.empty()) continue;
      Results results;
      try {
        results = co_await flush_(std::move(items));
      } catch (...) {
        land(seats, results);
        --flights_in_air_;
        throw;
      }
      land(seats, results);
    }
    --flights_in_air_;
  }

  /// Every caller gets an answer, also when the flush broke off.
  static void land(std::vector<Seat>& seats, Results& results) {
    for (std::size_t i = 0; i < seats.size(); ++i) {
      Party& party = *seats[i].party;
      if (i < results.size()) {
        party.results[seats[i].index] = std::move(results[i]);
      } else {
        party.results[seats[i].index] = base::fail(base::Errc::internal, "the flush broke off");
      }
      if (--party.left == 0) party.landed.complete({});
    }
  }

  Timers& timers_;
  BatcherLimits limits_;
  Flush flush_;
  std::deque<Lane> lanes_;  // none is empty; the first has the next turn
  std::size_t waiting_ = 0;
  std::size_t flights_in_air_ = 0;
  base::SteadyTime next_departure_ = base::SteadyTime::min();
  TaskGroup flights_;
};

}  // namespace notify::async
