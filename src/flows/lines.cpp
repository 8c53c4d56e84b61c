#include "flows/lines.hpp"

namespace notify::flows {

Lines::Place::Place(Lines& lines, base::Uuid of, rules::Priority priority)
    : lines_(lines), of_(of), line_(static_cast<std::size_t>(priority)) {
  Place*& last = lines_.last_[line_][of_];
  before_ = last;
  if (before_ != nullptr) before_->after_ = this;
  last = this;
}

async::Task<void> Lines::Place::wait() {
  if (!must_wait()) co_return;
  async::OneShot<async::Unit> told(lines_.executor_);
  waiting_ = &told;
  co_await told.wait();
}

void Lines::Place::tell() {
  if (auto* waiting = std::exchange(waiting_, nullptr)) waiting->complete({});
}

void Lines::Place::leave() {
  if (std::exchange(has_left_, true)) return;
  if (before_ != nullptr) before_->after_ = after_;
  if (after_ != nullptr) {
    after_->before_ = before_;
    if (before_ == nullptr) after_->tell();
    return;
  }
  if (before_ != nullptr) {
    lines_.last_[line_][of_] = before_;
  } else {
    lines_.last_[line_].erase(of_);
  }
}

void Lines::Place::turn_others_away() {
  for (Place* place = after_; place != nullptr; place = place->after_) {
    place->is_turned_away_ = true;
    place->tell();
  }
}

}  // namespace notify::flows
