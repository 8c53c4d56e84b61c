#pragma once
// The bridge between gRPC's completion queues, which have no file descriptor to poll, and a worker:
// one thread waits in the queue, gathers what is ready, and posts it to the worker as one batch.
// All that follows runs on the worker. (A post per event costs half as much again under load.)

#include <grpcpp/completion_queue.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"

namespace notify::net {

/// The tag of every operation started on a pump's queue.
class CompletionEvent {
 public:
  virtual ~CompletionEvent() = default;
  /// Runs on the worker. The event may delete itself here.
  virtual void complete(bool ok) = 0;
};

/// Threading: start operations and call stop() from any thread.
/// Lifetime:  the executor's context runs until stop() has returned; every event lives until its
///            complete() was called.
class CompletionPump {
 public:
  CompletionPump(async::Executor executor, std::unique_ptr<grpc::CompletionQueue> queue);
  CompletionPump(const CompletionPump&) = delete;
  CompletionPump& operator=(const CompletionPump&) = delete;
  ~CompletionPump();

  [[nodiscard]] grpc::CompletionQueue* queue() const { return queue_.get(); }
  [[nodiscard]] const async::Executor& executor() const { return executor_; }

  /// Shuts the queue down and waits for the thread. What was started on the queue must have been
  /// cancelled or ended before (for a server: after Server::Shutdown). The last events are posted
  /// to the executor before this returns.
  void stop();

 private:
  struct Ready {
    CompletionEvent* event;
    bool ok;
  };
  void run();
  /// Under load the thread looks at its queue a thousand times a second, not after every event: a
  /// thread that waits in the queue is woken for each, and the switches cost more than the calls.
  /// (Network cards do the same: interrupt moderation.)
  void rest();
  void post(std::vector<Ready> batch);

  async::Executor executor_;
  std::unique_ptr<grpc::CompletionQueue> queue_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

/// Starts an operation with this event as its tag and waits for it: `start(event)` calls gRPC.
/// Cancel: not cancellable; bound it by the deadline of the call.
class AwaitableEvent final : public CompletionEvent {
 public:
  explicit AwaitableEvent(async::Executor executor) : done_(std::move(executor)) {}
  void complete(bool ok) override { done_.complete(ok); }
  [[nodiscard]] async::Task<bool> wait() { return done_.wait(); }

 private:
  async::OneShot<bool> done_;
};

}  // namespace notify::net
