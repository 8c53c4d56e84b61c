#pragma once
// In a worker notifications wait in lines, so that a user's notifications reach each device in the
// order in which they came due (decision D-12). There is a line for each user, in which they are
// made ready one after the other, and a line for each device, in which they are sent. Between
// workers the queue gives one user to one worker. Why there are two: docs/adr/0017.

#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/uuid.hpp"
#include "rules/notification.hpp"

namespace notify::flows {

/// One line for each user, or device, and priority: a call must not wait behind a message.
/// Threading: one executor.
/// Lifetime:  outlives its places.
class Lines {
 public:
  explicit Lines(async::Executor executor) : executor_(std::move(executor)) {}

  /// A place in a line; it ends with leave() or with the object.
  class Place {
   public:
    Place(Lines& lines, base::Uuid of, rules::Priority priority);
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { leave(); }

    [[nodiscard]] bool is_first() const { return before_ == nullptr; }
    [[nodiscard]] bool is_turned_away() const { return is_turned_away_; }
    [[nodiscard]] bool must_wait() const { return !is_first() && !is_turned_away_; }
    /// Returns when all that came before have left, or when one of them turns this one away. Most
    /// places need not wait: ask must_wait() first, since a coroutine costs more.
    [[nodiscard]] async::Task<void> wait();
    void leave();
    /// The places that are behind this one now wait no longer.
    void turn_others_away();

   private:
    void tell();

    Lines& lines_;
    base::Uuid of_;
    std::size_t line_;
    bool has_left_ = false;
    bool is_turned_away_ = false;
    Place* before_ = nullptr;
    Place* after_ = nullptr;
    async::OneShot<async::Unit>* waiting_ = nullptr;
  };

 private:
  async::Executor executor_;
  /// By priority: the last in each line.
  std::array<std::unordered_map<base::Uuid, Place*>, std::size(rules::kPriorities)> last_;
};

}  // namespace notify::flows
