#pragma once
// A value that one coroutine waits for and somebody else delivers once: the joint between a
// callback world (a reply parser, a timer, a completion queue) and a coroutine.

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "base/async/task.hpp"

namespace notify::async {

/// Threading: one executor; complete() and wait() are both called there.
/// Lifetime:  outlives the wait; destroying it with a waiter still inside abandons that waiter, so
///            keep it in the frame of the coroutine that waits.
/// Cancel:    wait() throws operation_aborted; a later complete() is ignored.
template <class T>
class OneShot {
 public:
  explicit OneShot(Executor executor) : executor_(std::move(executor)) {}
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  /// The first call counts; the waiter is resumed from the executor's queue, not inside the call.
  void complete(T value) {
    if (done_) return;
    done_ = true;
    if (waiter_) {
      resume({}, std::move(value));
    } else {
      value_.emplace(std::move(value));
    }
  }

  [[nodiscard]] bool is_complete() const { return done_; }

  [[nodiscard]] Task<T> wait() {
    std::optional<T> value =
        co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, Signature>(
            [this](auto handler) { this->start(std::move(handler)); }, kUseAwaitable);
    co_return std::move(*value);
  }

 private:
  using Signature = void(boost::system::error_code, std::optional<T>);

  /// The suspended coroutine, its type erased. (Asio 1.81's any_completion_handler does this too,
  /// but moving one recurses without end: fixed in Boost 1.82.)
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void resume(boost::system::error_code error, std::optional<T> value) = 0;
  };
  template <class Handler>
  struct WaiterOf final : Waiter {
    explicit WaiterOf(Handler h) : handler(std::move(h)) {}
    void resume(boost::system::error_code error, std::optional<T> value) override {
      std::move(handler)(error, std::move(value));
    }
    Handler handler;
  };

  template <class Handler>
  void start(Handler handler) {
    slot_ = asio::get_associated_cancellation_slot(handler);
    waiter_ = std::make_unique<WaiterOf<Handler>>(std::move(handler));
    if (value_) {
      resume({}, std::exchange(value_, std::nullopt));
      return;
    }
    if (slot_.is_connected()) {
      slot_.assign([this](asio::cancellation_type) { this->abandon(); });
    }
  }

  void abandon() {
    if (done_) return;
    done_ = true;
    resume(asio::error::operation_aborted, std::nullopt);
  }

  void resume(boost::system::error_code error, std::optional<T> value) {
    if (slot_.is_connected()) slot_.clear();
    asio::post(executor_, [waiter = std::move(waiter_), error, value = std::move(value)]() mutable {
      waiter->resume(error, std::move(value));
    });
  }

  Executor executor_;
  asio::cancellation_slot slot_;
  std::unique_ptr<Waiter> waiter_;
  std::optional<T> value_;
  bool done_ = false;
};

/// For a OneShot that carries no value.
struct Unit {};

}  // namespace notify::async
