#pragma once
// The asynchronous vocabulary of the service. Every worker thread runs one single-threaded
// io_context; a coroutine lives and dies on the executor it was spawned on and never migrates, so
// nothing below needs a lock.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

namespace notify::async {

namespace asio = boost::asio;

/// A worker's. Not any_io_executor: each step of a coroutine would go through its indirections.
using Executor = asio::io_context::executor_type;

/// A coroutine. Lazy: it runs when awaited, or when given to a TaskGroup.
/// Cancel: every await inside throws boost::system::system_error(operation_aborted) once the task
///         has been cancelled; do no asynchronous clean-up in a cancelled coroutine.
template <class T = void>
using Task = asio::awaitable<T, Executor>;

/// Makes an operation of Asio one that a Task can await.
inline constexpr asio::use_awaitable_t<Executor> kUseAwaitable;

/// Runs `task` and puts its result into `place`. co_spawn makes a default T beside an exception,
/// and an Expected has none; what is spawned is therefore this Task<void>. Lifetime: `place`
/// outlives the task.
template <class T>
Task<void> store_result(Task<T> task, std::optional<T>& place) {
  place.emplace(co_await std::move(task));
}

}  // namespace notify::async
