#include "base/async/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

namespace notify::async {

TaskGroup::TaskGroup(Executor executor, OnEscape on_escape)
    : executor_(std::move(executor)), on_escape_(std::move(on_escape)) {}

TaskGroup::~TaskGroup() = default;

bool TaskGroup::spawn(Task<void> task) {
  if (stopping_) return false;
  const auto signal = running_.emplace(running_.end());
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(
          signal->slot(), [this, signal](const std::exception_ptr& e) { finished(signal, e); }));
  return true;
}

void TaskGroup::finished(Signals::iterator signal, const std::exception_ptr& failure) {
  running_.erase(signal);
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
      if (error.code() != asio::error::operation_aborted && on_escape_) on_escape_(error.what());
    } catch (const std::exception& error) {
      if (on_escape_) on_escape_(error.what());
    }
  }
  if (running_.empty()) {
    for (OneShot<Unit>* joiner : joiners_) joiner->complete({});
  }
}

Task<void> TaskGroup::join() {
  stopping_ = true;
  if (running_.empty()) co_return;
  OneShot<Unit> empty(executor_);
  const auto place = joiners_.insert(joiners_.end(), &empty);
  try {
    co_await empty.wait();
  } catch (...) {
    joiners_.erase(place);
    throw;
  }
  joiners_.erase(place);
}

Task<void> TaskGroup::stop() {
  stopping_ = true;
  cancel();
  co_await join();
}

void TaskGroup::cancel() {
  // emit() can end a task at once and so take it off the list: step past it first.
  for (auto signal = running_.begin(); signal != running_.end();) {
    auto current = signal++;
    current->emit(asio::cancellation_type::terminal);
  }
}

}  // namespace notify::async
