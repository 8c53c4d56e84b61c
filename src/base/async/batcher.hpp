#pragma once
// Group commit for anything: concurrent callers hand in items, one flush carries many of them, and
// each caller gets its own result. Nobody waits for company: an item that finds a free flight
// leaves at once, and company forms by itself while the flights are in the air.

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
#include "base/expected.hpp"

namespace notify::async {

struct BatcherLimits {
  std::size_t batch_max = 500;      ///< items in one flush
  std::size_t flights_max = 2;      ///< flushes at once
  std::size_t waiting_max = 20000;  ///< items accepted but not yet in a flush
};

/// Threading: one executor.
/// Lifetime:  outlives its callers; `stop()` completes before destruction.
/// Errors:    Errc::overloaded at once when waiting_max is reached; else the flush's result.
/// Cancel:    a cancelled caller stops waiting; its item is flushed all the same.
template <class In, class Out>
class Batcher {
 public:
  /// Gets 1..batch_max items and returns as many results, in the same order.
  using Flush = std::function<Task<std::vector<base::Expected<Out>>>(std::vector<In>)>;

  Batcher(const Executor& executor, BatcherLimits limits, OnEscape on_escape, Flush flush)
      : limits_(limits), flush_(std::move(flush)), flights_(executor, std::move(on_escape)) {}

  [[nodiscard]] Task<base::Expected<Out>> submit(In item) {
    if (waiting_.size() >= limits_.waiting_max) {
      co_return base::fail(base::Errc::overloaded, "too many writes are waiting");
    }
    auto slot = std::make_shared<Slot>(flights_.executor());
    waiting_.push_back(Waiting{std::move(item), slot});
    if (flights_in_air_ < limits_.flights_max && !depart()) {
      co_return base::fail(base::Errc::unavailable, "the service is stopping");
    }
    co_return co_await slot->wait();
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  /// Waits until all that was submitted has been flushed; refuses what comes after.
  [[nodiscard]] Task<void> stop() { return flights_.join(); }

 private:
  using Slot = OneShot<base::Expected<Out>>;
  struct Waiting {
    In item;
    std::shared_ptr<Slot> slot;
  };

  bool depart() {
    ++flights_in_air_;
    if (flights_.spawn(fly())) return true;
    --flights_in_air_;
    return false;
  }

  Task<void> fly() {
    // A flight departs with the next turn of the loop, so that all who are ready now are on board.
    co_await asio::post(flights_.executor(), asio::use_awaitable);
    while (!waiting_.empty()) {
      std::vector<In> items;
      std::vector<std::shared_ptr<Slot>> slots;
      while (!waiting_.empty() && items.size() < limits_.batch_max) {
        items.push_back(std::move(waiting_.front().item));
        slots.push_back(std::move(waiting_.front().slot));
        waiting_.pop_front();
      }
      std::vector<base::Expected<Out>> results;
      try {
        results = co_await flush_(std::move(items));
      } catch (...) {
        land(slots, results);
        --flights_in_air_;
        throw;
      }
      land(slots, results);
    }
    --flights_in_air_;
  }

  /// Every caller gets an answer, also when the flush broke off.
  static void land(std::vector<std::shared_ptr<Slot>>& slots,
                   std::vector<base::Expected<Out>>& results) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (i < results.size()) {
        slots[i]->complete(std::move(results[i]));
      } else {
        slots[i]->complete(base::fail(base::Errc::internal, "the flush broke off"));
      }
    }
  }

  BatcherLimits limits_;
  Flush flush_;
  std::deque<Waiting> waiting_;
  std::size_t flights_in_air_ = 0;
  TaskGroup flights_;
};

}  // namespace notify::async
