#include "net/grpc/completion_pump.hpp"

#include <grpc/support/time.h>

#include <boost/asio/post.hpp>

namespace notify::net {

CompletionPump::CompletionPump(async::Executor executor,
                               std::unique_ptr<grpc::CompletionQueue> queue)
    : executor_(std::move(executor)), queue_(std::move(queue)), thread_([this] { run(); }) {}

CompletionPump::~CompletionPump() { stop(); }

void CompletionPump::stop() {
  if (!thread_.joinable()) return;
  queue_->Shutdown();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_one();
  thread_.join();
}

void CompletionPump::run() {
  constexpr std::size_t kBatchMax = 128;
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    std::vector<Ready> batch;
    batch.push_back({static_cast<CompletionEvent*>(tag), ok});
    const gpr_timespec at_once = gpr_time_0(GPR_CLOCK_MONOTONIC);
    while (batch.size() < kBatchMax &&
           queue_->AsyncNext(&tag, &ok, at_once) == grpc::CompletionQueue::GOT_EVENT) {
      batch.push_back({static_cast<CompletionEvent*>(tag), ok});
    }
    const bool busy = batch.size() > 1;
    post(std::move(batch));
    if (busy) rest();
  }
}

void CompletionPump::rest() {
  constexpr std::chrono::milliseconds kRest{1};
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, kRest, [this] { return stopping_; });
}

void CompletionPump::post(std::vector<Ready> batch) {
  boost::asio::post(executor_, [batch = std::move(batch)] {
    for (const Ready& ready : batch) ready.event->complete(ready.ok);
  });
}

}  // namespace notify::net
