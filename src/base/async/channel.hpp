#pragma once
// A bounded queue between coroutines of one executor. Its bound is what carries backpressure from
// a slow stage to the one before it. (Asio 1.81's experimental channel drops what it holds when it
// is closed; this one drains.)

#include <deque>
#include <list>
#include <optional>
#include <utility>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"

namespace notify::async {

/// Threading: one executor.
/// Lifetime:  outlives those who wait in it.
/// Cancel:    send() and receive() throw operation_aborted; an item is either in or it is not.
template <class T>
class Channel {
 public:
  Channel(Executor executor, std::size_t capacity)
      : executor_(std::move(executor)), capacity_(capacity) {}

  /// False if the channel is full or closed; `item` is then untouched.
  [[nodiscard]] bool try_send(T& item) {
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    wake_one(receivers_);
    return true;
  }

  /// Waits for room. False if the channel was closed; the item is then lost.
  [[nodiscard]] Task<bool> send(T item) {
    while (!closed_ && items_.size() >= capacity_) co_await wait_in(senders_);
    co_return try_send(item);
  }

  /// Waits for an item. nullopt once the channel is closed and empty.
  [[nodiscard]] Task<std::optional<T>> receive() {
    while (!closed_ && items_.empty()) co_await wait_in(receivers_);
    co_return try_receive();
  }

  /// An item if there is one now.
  [[nodiscard]] std::optional<T> try_receive() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    wake_one(senders_);
    return item;
  }

  [[nodiscard]] std::size_t size() const { return items_.size(); }

  /// What is inside can still be received; nothing more goes in.
  void close() {
    closed_ = true;
    while (!receivers_.empty()) wake_one(receivers_);
    while (!senders_.empty()) wake_one(senders_);
  }

 private:
  using Waiters = std::list<OneShot<Unit>*>;

  static void wake_one(Waiters& waiters) {
    if (waiters.empty()) return;
    OneShot<Unit>* first = waiters.front();
    waiters.pop_front();
    first->complete({});
  }

  Task<void> wait_in(Waiters& waiters) {
    OneShot<Unit> turn(executor_);
    waiters.push_back(&turn);
    try {
      co_await turn.wait();
    } catch (...) {
      // Cancelled: leave the line, and pass a wake-up on that came at the same moment.
      if (waiters.remove(&turn) == 0) wake_one(waiters);
      throw;
    }
  }

  Executor executor_;
  std::size_t capacity_;
  std::deque<T> items_;
  Waiters senders_;
  Waiters receivers_;
  bool closed_ = false;
};

}  // namespace notify::async
