#pragma once
// Runs one coroutine to its end on an io_context and returns its result.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/async/task.hpp"

namespace notify::fakes {

inline void run(boost::asio::io_context& context, async::Task<void> task) {
  std::exception_ptr failure;
  bool ended = false;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
    failure = error;
    ended = true;
    context.stop();
  });
  context.restart();
  context.run();
  if (failure) std::rethrow_exception(failure);
  if (!ended) throw std::logic_error("the io_context ran out of work before the task ended");
}

template <class T>
T run(boost::asio::io_context& context, async::Task<T> task) {
  std::optional<T> result;
  run(context, async::store_result(std::move(task), result));
  return std::move(*result);
}

}  // namespace notify::fakes
