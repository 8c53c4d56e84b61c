#pragma once
// A user's notifications reach a provider in the order in which they came due (decision D-12): in a
// worker they take turns here, and between workers the queue gives one user's to one of them.

#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/strong_id.hpp"
#include "rules/notification.hpp"

namespace notify::flows {

/// One line for each user and priority: a call must not wait behind a message.
/// Threading: one executor.
/// Lifetime:  outlives its turns.
class UserOrder {
 public:
  explicit UserOrder(async::Executor executor) : executor_(std::move(executor)) {}

  /// A place in the line; it ends with pass() or with the turn.
  class Turn {
   public:
    Turn(UserOrder& order, base::UserId user, rules::Priority priority);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { pass(); }

    /// Returns when all that came before have passed.
    [[nodiscard]] async::Task<void> wait();
    void pass();

   private:
    UserOrder& order_;
    base::UserId user_;
    std::size_t line_;
    bool passed_ = false;
    Turn* before_ = nullptr;
    Turn* after_ = nullptr;
    async::OneShot<async::Unit>* waiting_ = nullptr;
  };

 private:
  async::Executor executor_;
  /// By priority: the last in each user's line.
  std::array<std::unordered_map<base::UserId, Turn*>, std::size(rules::kPriorities)> last_;
};

}  // namespace notify::flows
