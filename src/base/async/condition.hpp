#pragma once
// Waiting until something is so: whoever changes what others may wait for notifies them, and each
// looks again.

#include <algorithm>
#include <functional>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"

namespace notify::async {

/// Threading: one executor.
/// Lifetime:  outlives its waiters.
class Condition {
 public:
  explicit Condition(Executor executor) : executor_(std::move(executor)) {}

  /// Returns once `is_so` holds, at once if it does now.
  /// Cancel: throws operation_aborted.
  [[nodiscard]] Task<void> wait(std::function<bool()> is_so) {
    while (!is_so()) {
      OneShot<Unit> changed(executor_);
      const Waiting waiting(waiters_, changed);
      co_await changed.wait();
    }
  }

  void notify() {
    for (OneShot<Unit>* waiter : waiters_) waiter->complete({});
  }

 private:
  using Waiters = std::vector<OneShot<Unit>*>;
  /// Off the list also when the wait is cancelled.
  class Waiting {
   public:
    Waiting(Waiters& waiters, OneShot<Unit>& one) : waiters_(waiters), one_(&one) {
      waiters_.push_back(one_);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { waiters_.erase(std::find(waiters_.begin(), waiters_.end(), one_)); }

   private:
    Waiters& waiters_;
    OneShot<Unit>* one_;
  };

  Executor executor_;
  Waiters waiters_;
};

}  // namespace notify::async
