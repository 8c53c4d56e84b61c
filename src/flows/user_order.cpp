#include "flows/user_order.hpp"

namespace notify::flows {

UserOrder::Turn::Turn(UserOrder& order, base::UserId user, rules::Priority priority)
    : order_(order), user_(user), line_(static_cast<std::size_t>(priority)) {
  Turn*& last = order_.last_[line_][user_];
  before_ = last;
  if (before_ != nullptr) before_->after_ = this;
  last = this;
}

async::Task<void> UserOrder::Turn::wait() {
  if (before_ == nullptr) co_return;
  async::OneShot<async::Unit> is_first(order_.executor_);
  waiting_ = &is_first;
  co_await is_first.wait();
  waiting_ = nullptr;
}

void UserOrder::Turn::pass() {
  if (std::exchange(passed_, true)) return;
  if (before_ != nullptr) before_->after_ = after_;
  if (after_ != nullptr) {
    after_->before_ = before_;
    if (before_ == nullptr && after_->waiting_ != nullptr) after_->waiting_->complete({});
    return;
  }
  if (before_ != nullptr) {
    order_.last_[line_][user_] = before_;
  } else {
    order_.last_[line_].erase(user_);
  }
}

}  // namespace notify::flows
