#include "base/async/timers.hpp"

#include <algorithm>

#include "base/async/one_shot.hpp"

namespace notify::async {

void Timer::arm(base::Deadline deadline) {
  disarm();
  if (!deadline.is_never()) timers_.insert(*this, deadline);
}

void Timer::disarm() {
  if (armed_) timers_.remove(*this);
}

Timers::Timers(Executor executor, const base::Clock& clock, Driver driver)
    : executor_(std::move(executor)), clock_(clock), origin_(clock.steady_now()) {
  if (driver == Driver::asio_timer) driver_.emplace(executor_);
}

std::int64_t Timers::tick_of(base::SteadyTime time) const { return (time - origin_) / kTick; }

void Timers::insert(Timer& timer, base::Deadline deadline) {
  if (armed_ == 0) current_tick_ = tick_of(clock_.steady_now());
  timer.due_tick_ = std::max(tick_of(deadline.at()) + 1, current_tick_ + 1);
  Timer*& head = slots_[static_cast<std::size_t>(timer.due_tick_) % kSlots];
  timer.previous_ = nullptr;
  timer.next_ = head;
  if (head != nullptr) head->previous_ = &timer;
  head = &timer;
  timer.armed_ = true;
  ++armed_;
  if (driver_ && timer.due_tick_ < planned_tick_) plan_wake_up(timer.due_tick_);
}

void Timers::remove(Timer& timer) {
  Timer*& head = slots_[static_cast<std::size_t>(timer.due_tick_) % kSlots];
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    head = timer.next_;
  }
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.previous_ = timer.next_ = nullptr;
  timer.armed_ = false;
  --armed_;
  if (armed_ == 0) cancel_wake_up();
}

void Timers::fire_slot(std::size_t slot, std::int64_t until_tick) {
  // A callback may arm or disarm any timer, so the list is searched again after each one.
  for (;;) {
    Timer* due = slots_[slot];
    while (due != nullptr && due->due_tick_ > until_tick) due = due->next_;
    if (due == nullptr) return;
    remove(*due);
    // Copied for the call: the callback may destroy its Timer, or arm it again.
    const std::function<void()> callback = due->on_expiry_;
    callback();
  }
}

void Timers::advance() {
  const std::int64_t now_tick = tick_of(clock_.steady_now());
  if (now_tick <= current_tick_) return;
  const std::int64_t behind = now_tick - current_tick_;
  const auto slots_to_visit =
      static_cast<std::size_t>(std::min<std::int64_t>(behind, static_cast<std::int64_t>(kSlots)));
  const std::int64_t first = current_tick_ + 1;
  current_tick_ = now_tick;
  for (std::size_t i = 0; i < slots_to_visit; ++i) {
    fire_slot(static_cast<std::size_t>(first + static_cast<std::int64_t>(i)) % kSlots, now_tick);
  }
}

std::optional<base::SteadyTime> Timers::next_expiry() const {
  std::optional<std::int64_t> earliest;
  for (const Timer* timer : slots_) {
    for (; timer != nullptr; timer = timer->next_) {
      if (!earliest || timer->due_tick_ < *earliest) earliest = timer->due_tick_;
    }
  }
  if (!earliest) return std::nullopt;
  return origin_ + *earliest * kTick;
}

void Timers::plan_wake_up(std::int64_t tick) {
  planned_tick_ = tick;
  driver_->expires_at(origin_ + tick * kTick);  // cancels the wait for a later tick
  driver_->async_wait([this](const boost::system::error_code& error) {
    if (!error) on_wake_up();
  });
}

void Timers::cancel_wake_up() {
  if (!driver_ || planned_tick_ == kNotPlanned) return;
  planned_tick_ = kNotPlanned;
  driver_->cancel();
}

void Timers::on_wake_up() {
  planned_tick_ = kNotPlanned;
  advance();
  if (armed_ == 0) return;
  const std::int64_t next = next_occupied_tick();
  if (next < planned_tick_) plan_wake_up(next);
}

std::int64_t Timers::next_occupied_tick() const {
  // At most one turn of the wheel; a timer further off than that costs one wake-up a turn.
  std::int64_t tick = current_tick_ + 1;
  const std::int64_t full_turn = current_tick_ + static_cast<std::int64_t>(kSlots);
  while (tick < full_turn && slots_[static_cast<std::size_t>(tick) % kSlots] == nullptr) ++tick;
  return tick;
}

Task<void> Timers::sleep_until(base::Deadline deadline) {
  OneShot<Unit> done(executor_);
  Timer timer(*this, [&done] { done.complete({}); });
  timer.arm(deadline);
  co_await done.wait();
}

Task<void> Timers::sleep_for(std::chrono::nanoseconds delay) { return sleep_until(after(delay)); }

}  // namespace notify::async
