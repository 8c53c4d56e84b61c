#pragma once
// Bounds a task by a deadline.
//
// Not `task || timer` of Asio's awaitable operators: that waits for the first success, so the error
// of a task that fails at once is lost until the deadline. Here the task is cancelled when the
// timer fires, the cancellation of the caller is passed on, and errors come back as they are.

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/async/task.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"

namespace notify::async {

/// Errors: Errc::timed_out if the deadline passed first (the effect may have happened); otherwise
///         what the task returned or threw.
/// Cancel: passed on to the task.
template <class T>
[[nodiscard]] Task<base::Expected<T>> with_deadline(Timers& timers, base::Deadline deadline,
                                                    Task<base::Expected<T>> task) {
  if (deadline.passed(timers.clock().steady_now())) {
    co_return base::fail(base::Errc::timed_out, "the deadline had passed before the start");
  }
  asio::cancellation_signal signal;
  bool expired = false;
  Timer timer(timers, [&signal, &expired] {
    expired = true;
    signal.emit(asio::cancellation_type::terminal);
  });
  timer.arm(deadline);

  // An own cancellation slot would cut the caller's off: chain it by hand, and unchain at the end.
  auto outer = (co_await asio::this_coro::cancellation_state).slot();
  struct Unchain {
    asio::cancellation_slot slot;
    ~Unchain() {
      if (slot.is_connected()) slot.clear();
    }
  } unchain{outer};
  if (outer.is_connected()) {
    outer.assign([&signal](asio::cancellation_type type) { signal.emit(type); });
  }
  std::optional<base::Expected<T>> result;
  try {
    co_await asio::co_spawn(timers.executor(), store_result(std::move(task), result),
                            asio::bind_cancellation_slot(signal.slot(), kUseAwaitable));
    co_return std::move(*result);
  } catch (const boost::system::system_error& error) {
    if (!expired || error.code() != asio::error::operation_aborted) throw;
  }
  co_return base::fail(base::Errc::timed_out, "the deadline passed");
}

}  // namespace notify::async
