#include "flows/recover.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {

using stores::Epoch;
using stores::Pulse;

namespace {

/// After so many windows of a rebuild it is written down how far it has come.
constexpr int kMarkEvery = 12;

std::vector<stores::QueueItem> to_queue(std::vector<stores::BacklogItem> items) {
  std::vector<stores::QueueItem> queue_items;
  queue_items.reserve(items.size());
  for (stores::BacklogItem& item : items) {
    queue_items.push_back({std::move(item.notification), item.due_at});
  }
  return queue_items;
}

}  // namespace

Recover::Recover(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)), loops_(parts_.timers.executor(), std::move(on_escape)) {}

void Recover::start() {
  loops_.spawn(takeover_loop());
  loops_.spawn(due_loop());
  loops_.spawn(sweep_loop());
  loops_.spawn(patrol_loop());
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

/// Due notifications must not wait for a rebuild. In a young epoch the books may lack what nodes
/// are at work on: nothing is put back.
async::Task<void> Recover::due_loop() {
  base::SteadyTime next = base::SteadyTime::min();
  std::uint64_t epoch_looked_at = 0;
  for (;;) {
    const Pulse pulse = parts_.pulse();
    const bool is_time = steady_now() >= next || pulse.epoch_number != epoch_looked_at;
    if (pulse.leads && pulse.epoch != Epoch::young && is_time) {
      if (co_await sweep_due(pulse.epoch_number)) epoch_looked_at = pulse.epoch_number;
      next = steady_now() + parts_.policy.sweep_interval;
    }
    co_await parts_.timers.sleep_for(look_interval());
  }
}

async::Task<bool> Recover::sweep_due(std::uint64_t epoch_number) {
  const auto at = co_await horizon();
  if (!at) co_return false;
  co_return co_await sweep(
      {&stores::Backlog::due, base::WallTime(), promoted_until(at->now), epoch_number});
}

async::Task<void> Recover::sweep_loop() {
  base::SteadyTime next_sweep = base::SteadyTime::min();
  for (;;) {
    const Pulse pulse = parts_.pulse();
    if (pulse.leads && pulse.epoch == Epoch::gappy && !is_whole(pulse)) {
      co_await rebuild(pulse);
      // What was too young for the rebuild should not wait for long either.
      next_sweep = steady_now() + std::min(parts_.policy.grace, parts_.policy.sweep_interval);
    } else if (pulse.leads && is_whole(pulse) && steady_now() >= next_sweep) {
      co_await sweep_tail(pulse.epoch_number);
      next_sweep = steady_now() + parts_.policy.sweep_interval;
    }
    co_await parts_.timers.sleep_for(look_interval());
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

async::Task<std::optional<stores::LedgerHorizon>> Recover::horizon() {
  auto read = co_await parts_.backlog.horizon(soon());
  if (read) co_return *read;
  parts_.events.step_failed("horizon", read.error());
  co_return std::nullopt;
}

/// The queue has lost data: what it still had is looked at again, and what it may have lost is read
/// from the ledger. The queue tells since when it may have lost something. It tells nothing of what
/// no sweep had compared with it by then: so the rebuild also goes back to the last sweep.
async::Task<void> Recover::rebuild(Pulse pulse) {
  const auto salvaged = co_await parts_.repairs.salvage(soon());
  if (!salvaged) {
    parts_.events.step_failed("salvage", salvaged.error());
    co_return;
  }
  put_back(*salvaged);
  const auto at = co_await horizon();
  if (!at) co_return;
  const auto swept = co_await parts_.repairs.swept_until(soon());
  if (!swept) {
    parts_.events.step_failed("rebuild", swept.error());
    co_return;
  }
  const base::WallTime newest = at->now - parts_.policy.grace;
  base::WallTime from = newest - parts_.policy.look_back;
  if (pulse.lost_since && *swept) {
    from = std::max(from, std::min(*pulse.lost_since, **swept) - parts_.policy.overlap);
  }
  // The next sweep looks at what is not settled yet.
  const stores::Rebuilt mark =
      pulse.rebuilt.value_or(stores::Rebuilt{std::min(newest, at->settled), newest});
  if (!co_await rebuild_down_to(from, mark.down_to, mark, pulse.epoch_number)) co_return;
  const base::WallTime swept_now = mark.until - parts_.policy.overlap;
  if (!succeeded("sweep", co_await parts_.repairs.set_swept_until(swept_now, soon()))) co_return;
  if (!succeeded("rebuild", co_await parts_.repairs.set_whole(pulse.epoch_number, soon()))) {
    co_return;
  }
  epoch_rebuilt_ = pulse.epoch_number;
  parts_.events.rebuilt();
}

/// The newest first: they are worth most, and expire first. How far it has come is kept with the
/// queue: the next elected node goes on from there. False if it had to stop.
async::Task<bool> Recover::rebuild_down_to(base::WallTime from, base::WallTime down_from,
                                           stores::Rebuilt mark, std::uint64_t epoch_number) {
  base::WallTime kept_down_to = down_from;
  for (base::WallTime end = down_from; end > from; end = mark.down_to) {
    mark.down_to = std::max(from, end - parts_.policy.window);
    if (!co_await sweep({&stores::Backlog::pending, mark.down_to, end, epoch_number})) {
      co_return false;
    }
    if (kept_down_to - mark.down_to < kMarkEvery * parts_.policy.window) continue;
    const auto kept = co_await parts_.repairs.set_rebuilt(epoch_number, mark, soon());
    if (!succeeded("rebuild", kept)) co_return false;
    kept_down_to = mark.down_to;
  }
  co_return true;
}

/// Compares with the queue what was committed since the last sweep. It then vouches only for what
/// was settled before it began: a row may be committed long after it was made.
async::Task<void> Recover::sweep_tail(std::uint64_t epoch_number) {
  const auto swept = co_await parts_.repairs.swept_until(soon());
  if (!swept) {
    parts_.events.step_failed("sweep", swept.error());
    co_return;
  }
  const auto at = co_await horizon();
  if (!at) co_return;
  const base::WallTime newest = at->now - parts_.policy.grace;
  const base::WallTime from = swept->value_or(newest - parts_.policy.look_back);
  for (base::WallTime end = newest; end > from;) {
    const base::WallTime begin = std::max(from, end - parts_.policy.window);
    if (!co_await sweep({&stores::Backlog::pending, begin, end, epoch_number})) co_return;
    end = begin;
  }
  const base::WallTime swept_now = std::min(newest, at->settled) - parts_.policy.overlap;
  succeeded("sweep", co_await parts_.repairs.set_swept_until(swept_now, soon()));
}

/// Finds what all else has missed, whatever the reason.
async::Task<void> Recover::patrol_loop() {
  for (;;) {
    const Pulse pulse = parts_.pulse();
    const base::SteadyTime began = steady_now();
    if (pulse.leads && is_whole(pulse)) co_await patrol(pulse.epoch_number);
    // A window of a busy time takes longer: PostgreSQL spends a hundredth on this, not more.
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(steady_now() - began);
    co_await parts_.timers.sleep_for(std::max(parts_.policy.patrol_interval, 100 * took));
  }
}

/// One window; from the newest to the oldest, then again.
async::Task<void> Recover::patrol(std::uint64_t epoch_number) {
  const auto at = co_await horizon();
  if (!at) co_return;
  const base::WallTime newest = at->now - parts_.policy.grace;
  const base::WallTime oldest = newest - parts_.policy.look_back;
  if (patrolled_down_to_ <= oldest || patrolled_down_to_ > newest) patrolled_down_to_ = newest;
  const base::WallTime begin = std::max(oldest, patrolled_down_to_ - parts_.policy.window);
  if (co_await sweep({&stores::Backlog::pending, begin, patrolled_down_to_, epoch_number})) {
    patrolled_down_to_ = begin;
  }
}

async::Task<void> Recover::promote(std::vector<stores::QueueItem> items) {
  const base::WallTime until = promoted_until(parts_.timers.clock().now());
  std::erase_if(items, [until](const auto& item) { return item.due_at >= until; });
  // In a young epoch a sweep may have had it promoted, and the books do not say who has it.
  if (items.empty() || parts_.pulse().epoch == Epoch::young) co_return;
  const auto promoted = co_await parts_.repairs.readmit(std::move(items), soon());
  if (!promoted) parts_.events.step_failed("promote", promoted.error());
}

async::Task<void> Recover::recheck(std::vector<base::NotificationId> ids) {
  if (parts_.pulse().epoch == Epoch::young) co_return;
  auto pending = co_await parts_.backlog.pending_of(std::move(ids), soon());
  if (!pending) {
    parts_.events.step_failed("recheck", pending.error());
    co_return;
  }
  if (pending->empty() || parts_.pulse().epoch == Epoch::young) co_return;
  const auto readmitted = co_await parts_.repairs.readmit(to_queue(std::move(*pending)), soon());
  if (!readmitted) {
    parts_.events.step_failed("recheck", readmitted.error());
    co_return;
  }
  put_back(*readmitted);
}

/// Reads page after page and puts each into the queue. False if it had to stop.
async::Task<bool> Recover::sweep(Stretch stretch) {
  std::optional<stores::BacklogCursor> after = stores::BacklogCursor{stretch.from, {}};
  while (after) {
    auto read = co_await (parts_.backlog.*stretch.read)({*after, stretch.until, parts_.policy.page},
                                                        soon());
    if (!read) {
      parts_.events.step_failed("sweep", read.error());
      co_return false;
    }
    if (read->unreadable > 0) parts_.events.unreadable(read->unreadable);
    after = read->next;
    if (read->items.empty()) continue;
    if (!co_await readmit(std::move(read->items), stretch.epoch_number)) co_return false;
  }
  co_return true;
}

async::Task<bool> Recover::readmit(std::vector<stores::BacklogItem> items,
                                   std::uint64_t epoch_number) {
  // A node that is no longer elected, or has seen a new epoch, must not go by what it read before.
  if (!may_go_on(epoch_number)) co_return false;
  const auto readmitted = co_await parts_.repairs.readmit(to_queue(std::move(items)), soon());
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
