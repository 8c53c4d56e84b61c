#include "flows/recover.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {

using stores::Epoch;
using stores::Pulse;

Recover::Recover(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)), loops_(parts_.timers.executor(), std::move(on_escape)) {}

void Recover::start() {
  loops_.spawn(takeover_loop());
  loops_.spawn(sweep_loop());
  loops_.spawn(upkeep_loop());
}

async::Task<void> Recover::stop() { return loops_.stop(); }

async::Task<void> Recover::takeover_loop() {
  for (;;) {
    // In a young epoch a heartbeat may be missing because the queue has lost it.
    if (parts_.pulse().epoch != Epoch::young) co_await take_over();
    co_await parts_.timers.sleep_for(parts_.policy.takeover_interval);
  }
}

async::Task<void> Recover::take_over() {
  const auto taken = co_await parts_.repairs.take_over_dead(soon());
  if (!taken) {
    parts_.events.step_failed("take_over", taken.error());
  } else if (*taken > 0) {
    parts_.events.taken_over(*taken);
    parts_.wake_deliver();
  }
}

/// While the epoch is young the books may lack what nodes are at work on: nothing is put back.
async::Task<void> Recover::sweep_loop() {
  base::SteadyTime next_sweep = base::SteadyTime::min();
  for (;;) {
    const Pulse pulse = parts_.pulse();
    const bool time_for_it = parts_.timers.clock().steady_now() >= next_sweep;
    epoch_swept_ = pulse.epoch_number;
    const bool is_whole = pulse.epoch == Epoch::whole || pulse.epoch_number == epoch_rebuilt_;
    if (pulse.leads && pulse.epoch == Epoch::gappy && !is_whole) {
      co_await rebuild(pulse.epoch_number);
      // What was too young for the rebuild should not wait for long either.
      next_sweep = parts_.timers.clock().steady_now() +
                   std::min(parts_.policy.grace, parts_.policy.sweep_interval);
    } else if (pulse.leads && is_whole && time_for_it) {
      co_await sweep_tail();
      co_await sweep_due();
      next_sweep = parts_.timers.clock().steady_now() + parts_.policy.sweep_interval;
    }
    co_await parts_.timers.sleep_for(
        std::min(parts_.policy.takeover_interval, parts_.policy.sweep_interval));
  }
}

bool Recover::may_go_on(std::uint64_t epoch_number) const {
  const Pulse pulse = parts_.pulse();
  return pulse.leads && pulse.epoch_number == epoch_number;
}

bool Recover::succeeded(std::string_view step, const base::Expected<void>& result) {
  if (!result) parts_.events.step_failed(step, result.error());
  return result.has_value();
}

/// The queue has lost data: what it still had is looked at again, and what it lost is read from the
/// ledger. A rebuild that breaks off is made again from its start.
async::Task<void> Recover::rebuild(std::uint64_t epoch_number) {
  const auto salvaged = co_await parts_.repairs.salvage(soon());
  if (!salvaged) {
    parts_.events.step_failed("salvage", salvaged.error());
    co_return;
  }
  put_back(*salvaged);
  const base::WallTime until = now() - parts_.policy.grace;
  if (!co_await sweep_pending(until - parts_.policy.look_back, until)) co_return;
  co_await sweep_due();
  const base::WallTime swept = until - parts_.policy.overlap;
  if (!succeeded("sweep", co_await parts_.repairs.set_swept_until(swept, soon()))) co_return;
  if (!succeeded("rebuild", co_await parts_.repairs.set_whole(epoch_number, soon()))) co_return;
  epoch_rebuilt_ = epoch_number;
  parts_.events.rebuilt();
}

/// What was committed since the last sweep, by whoever made it, and should be in the queue.
async::Task<void> Recover::sweep_tail() {
  const auto swept = co_await parts_.repairs.swept_until(soon());
  if (!swept) {
    parts_.events.step_failed("sweep", swept.error());
    co_return;
  }
  const base::WallTime until = now() - parts_.policy.grace;
  const base::WallTime from = swept->value_or(until - parts_.policy.look_back);
  if (!co_await sweep_pending(from, until)) co_return;
  succeeded("sweep",
            co_await parts_.repairs.set_swept_until(until - parts_.policy.overlap, soon()));
}

async::Task<void> Recover::sweep_due() {
  co_await sweep(&stores::Backlog::due, base::WallTime(), promoted_until());
}

async::Task<void> Recover::promote(std::vector<stores::QueueItem> items) {
  std::erase_if(items,
                [until = promoted_until()](const auto& item) { return item.due_at >= until; });
  // In a young epoch a sweep may have had it promoted, and the books do not say who has it.
  if (items.empty() || parts_.pulse().epoch == Epoch::young) co_return;
  const auto promoted = co_await parts_.repairs.readmit(std::move(items), soon());
  if (!promoted) parts_.events.step_failed("promote", promoted.error());
}

/// The newest first: they are worth most, and expire first. False if it had to stop.
async::Task<bool> Recover::sweep_pending(base::WallTime from, base::WallTime until) {
  while (until > from) {
    const base::WallTime begin = std::max(from, until - parts_.policy.window);
    if (!co_await sweep(&stores::Backlog::pending, begin, until)) co_return false;
    until = begin;
  }
  co_return true;
}

/// Reads page after page and puts each into the queue. False if it had to stop.
async::Task<bool> Recover::sweep(ReadPage read, base::WallTime from, base::WallTime until) {
  stores::BacklogPage page{{from, {}}, until, parts_.policy.page};
  for (;;) {
    auto items = co_await (parts_.backlog.*read)(page, soon());
    if (!items) {
      parts_.events.step_failed("sweep", items.error());
      co_return false;
    }
    if (items->empty()) co_return true;
    const bool last_page = items->size() < static_cast<std::size_t>(page.limit);
    page.after = {items->back().due_at, items->back().notification.id};
    if (!co_await readmit(std::move(*items))) co_return false;
    if (last_page) co_return true;
  }
}

async::Task<bool> Recover::readmit(std::vector<stores::BacklogItem> items) {
  // Who is no longer elected, or has seen a new epoch, must not go by what it read before.
  if (!may_go_on(epoch_swept_)) co_return false;
  std::vector<stores::QueueItem> queue_items;
  queue_items.reserve(items.size());
  for (stores::BacklogItem& item : items) {
    queue_items.push_back({std::move(item.notification), item.due_at});
  }
  const auto readmitted = co_await parts_.repairs.readmit(std::move(queue_items), soon());
  if (!readmitted) {
    parts_.events.step_failed("readmit", readmitted.error());
    co_return false;
  }
  put_back(*readmitted);
  co_return true;
}

void Recover::put_back(std::size_t count) {
  if (count == 0) return;
  parts_.events.readmitted(count);
  parts_.wake_deliver();
}

async::Task<void> Recover::upkeep_loop() {
  for (;;) {
    if (parts_.pulse().leads) co_await keep_up();
    co_await parts_.timers.sleep_for(parts_.policy.takeover_interval);
  }
}

/// One term of office: ends when another node is elected.
async::Task<void> Recover::keep_up() {
  const auto token = co_await parts_.upkeep.take_office(parts_.node, soon());
  if (!token) {
    parts_.events.step_failed("take_office", token.error());
    co_return;
  }
  parts_.events.elected();
  base::SteadyTime next = base::SteadyTime::min();
  while (parts_.pulse().leads) {
    if (parts_.timers.clock().steady_now() >= next) {
      const auto made = co_await parts_.upkeep.make_partitions(*token, soon());
      if (made) {
        next = parts_.timers.clock().steady_now() + parts_.policy.upkeep_interval;
      } else {
        parts_.events.step_failed("make_partitions", made.error());
        if (made.error().code == base::Errc::conflict) co_return;
      }
      if (made) co_await retire(*token);
    }
    co_await parts_.timers.sleep_for(parts_.policy.takeover_interval);
  }
}

async::Task<void> Recover::retire(stores::FencingToken token) {
  const auto gone =
      co_await parts_.upkeep.retire(token, parts_.timers.after(parts_.policy.retire_timeout));
  if (!gone) parts_.events.step_failed("retire", gone.error());
}

}  // namespace notify::flows
