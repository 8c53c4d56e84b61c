#pragma once
// The loop of a load generator: handle what is ready, start what is due, sleep until the next of
// both.

#include <grpc/support/time.h>
#include <grpcpp/completion_queue.h>

#include <algorithm>
#include <chrono>

namespace notify::bench {

/// As gRPC wants its deadlines.
[[nodiscard]] inline gpr_timespec deadline_in(std::chrono::nanoseconds patience) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(patience.count(), GPR_TIMESPAN));
}

/// Waits for one event at most `patience`, then handles all that are ready:
/// `handle(void* tag, bool ok)`.
/// Limits: gRPC's poller rounds up to a millisecond, so calls that are due start up to one late;
///         their latency counts from when they were due.
template <class Handle>
void handle_events(grpc::CompletionQueue& queue, std::chrono::nanoseconds patience,
                   const Handle& handle) {
  constexpr int kAtOnce = 64;
  void* tag = nullptr;
  bool ok = false;
  gpr_timespec until = deadline_in(std::max(patience, std::chrono::nanoseconds(0)));
  for (int i = 0; i < kAtOnce; ++i) {
    if (queue.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT) return;
    handle(tag, ok);
    until = gpr_time_0(GPR_CLOCK_MONOTONIC);
  }
}

/// After the last call: takes what may be left, as gRPC demands before a queue is destroyed.
inline void shut_down(grpc::CompletionQueue& queue) {
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
  }
}

}  // namespace notify::bench
