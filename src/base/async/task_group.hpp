#pragma once
// Owns running coroutines. Nothing in the service is spawned detached: whoever starts work can
// stop it and wait until it is over, so shutting down never leaves a frame that refers to the dead.

#include <boost/asio/cancellation_signal.hpp>
#include <exception>
#include <functional>
#include <list>
#include <string_view>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"

namespace notify::async {

/// Called with what() of an exception that escaped a task: a bug, to be logged and counted.
using OnEscape = std::function<void(std::string_view what)>;

/// Threading: one executor.
/// Lifetime:  must be empty when destroyed (join() or stop() first, or the io_context destroyed its
///            frames); declare it after everything its tasks refer to.
class TaskGroup {
 public:
  TaskGroup(Executor executor, OnEscape on_escape);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// Starts `task`: at once, up to its first suspension, if called on the executor. Returns false,
  /// and drops the task, once the group is stopping.
  bool spawn(Task<void> task);

  [[nodiscard]] std::size_t size() const { return running_.size(); }
  [[nodiscard]] const Executor& executor() const { return executor_; }

  /// Refuses new tasks and waits for the running ones to end by themselves.
  [[nodiscard]] Task<void> join();

  /// Refuses new tasks, cancels the running ones and waits for them.
  [[nodiscard]] Task<void> stop();

  /// Cancels what runs now, without waiting and without refusing new tasks.
  void cancel();

 private:
  using Signals = std::list<asio::cancellation_signal>;
  void finished(Signals::iterator signal, const std::exception_ptr& failure);

  Executor executor_;
  OnEscape on_escape_;
  Signals running_;
  std::list<OneShot<Unit>*> joiners_;
  bool stopping_ = false;
};

}  // namespace notify::async
