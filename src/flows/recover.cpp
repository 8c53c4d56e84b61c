#include "flows/recover.hpp"

#include <algorithm>

namespace notify::flows {

Recover::Recover(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)),
      swept_until_(parts_.timers.clock().now() - parts_.policy.first_look_back),
      loops_(parts_.timers.executor(), std::move(on_escape)) {}

void Recover::start() {
  loops_.spawn(heartbeat_loop());
  loops_.spawn(takeover_loop());
  loops_.spawn(sweep_loop());
}

async::Task<void> Recover::stop() { return loops_.stop(); }

async::Task<void> Recover::sign_off() {
  last_heartbeat_ = base::SteadyTime::min();
  const auto done = co_await parts_.leases.sign_off(soon());
  if (!done) parts_.events.step_failed("sign_off", done.error());
}

bool Recover::leases_are_ours() const {
  if (last_heartbeat_ == base::SteadyTime::min()) return false;
  // A fifth of the timeout stays for what is between this check and the provider.
  const auto trusted = parts_.policy.heartbeat_timeout * 4 / 5;
  return parts_.timers.clock().steady_now() < last_heartbeat_ + trusted;
}

async::Task<void> Recover::heartbeat_loop() {
  for (;;) {
    // The time before the call: the time-to-live runs from some moment after it.
    const base::SteadyTime asked_at = parts_.timers.clock().steady_now();
    const auto beaten = co_await parts_.leases.heartbeat(
        parts_.policy.heartbeat_timeout, parts_.timers.after(parts_.policy.heartbeat_interval));
    if (beaten) {
      const bool was_registered = last_heartbeat_ != base::SteadyTime::min();
      if (was_registered && *beaten == stores::Registration::made_anew) look_back();
      last_heartbeat_ = asked_at;
    } else {
      parts_.events.step_failed("heartbeat", beaten.error());
    }
    co_await parts_.timers.sleep_for(parts_.policy.heartbeat_interval);
  }
}

/// The queue has lost its data: the next sweep rebuilds it from all that can still be pending.
void Recover::look_back() {
  swept_until_ = parts_.timers.clock().now() - parts_.policy.first_look_back;
  queue_was_lost_ = true;
}

async::Task<void> Recover::takeover_loop() {
  for (;;) {
    const auto taken = co_await parts_.leases.take_over_dead(soon());
    if (!taken) {
      parts_.events.step_failed("take_over", taken.error());
    } else if (*taken > 0) {
      parts_.events.taken_over(*taken);
      parts_.wake_deliver();
    }
    co_await reclaim_orphans();
    co_await parts_.timers.sleep_for(parts_.policy.heartbeat_interval);
  }
}

/// A lease whose answer or release was lost stands in the queue's books while nobody works on it.
async::Task<void> Recover::reclaim_orphans() {
  const auto mine = co_await parts_.leases.mine(soon());
  if (!mine) {
    parts_.events.step_failed("reclaim", mine.error());
    co_return;
  }
  // Seen twice in a row: a lease can be on its way to us right now.
  std::unordered_set<base::NotificationId> unheld;
  for (const stores::LeaseKey& key : *mine) {
    if (parts_.is_held(key.notification)) continue;
    if (!unheld_before_.contains(key.notification)) {
      unheld.insert(key.notification);
      continue;
    }
    const auto back = co_await parts_.leases.give_back(key, soon());
    if (!back) parts_.events.step_failed("reclaim", back.error());
  }
  unheld_before_ = std::move(unheld);
}

async::Task<void> Recover::sweep_loop() {
  for (;;) {
    co_await sweep_pending();
    co_await sweep_due();
    co_await parts_.timers.sleep_for(parts_.policy.sweep_interval);
  }
}

async::Task<void> Recover::sweep_pending() {
  const base::WallTime until = parts_.timers.clock().now() - parts_.policy.grace;
  queue_was_lost_ = false;
  if (!co_await sweep(&stores::Backlog::pending, swept_until_, until)) co_return;
  if (queue_was_lost_) co_return;  // while this one ran: look back again
  // The next sweep looks at the tail again: what this one saw may have been lost since.
  swept_until_ = until - parts_.policy.sweep_interval - parts_.policy.heartbeat_timeout;
}

async::Task<void> Recover::sweep_due() {
  // Promotion is a sweep ahead of time, so that nothing comes late for having waited in `due`.
  const base::WallTime until = parts_.timers.clock().now() + 2 * parts_.policy.sweep_interval;
  co_await sweep(&stores::Backlog::due, base::WallTime(), until);
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
  std::vector<stores::QueueItem> queue_items;
  queue_items.reserve(items.size());
  for (stores::BacklogItem& item : items) {
    // After the queue was emptied its books say nothing of what is being delivered right here.
    if (parts_.is_held(item.notification.id)) continue;
    queue_items.push_back({std::move(item.notification), item.due_at});
  }
  if (queue_items.empty()) co_return true;
  const auto readmitted = co_await parts_.leases.readmit(std::move(queue_items), soon());
  if (!readmitted) {
    parts_.events.step_failed("readmit", readmitted.error());
    co_return false;
  }
  if (*readmitted > 0) {
    parts_.events.readmitted(*readmitted);
    parts_.wake_deliver();
  }
  co_return true;
}

}  // namespace notify::flows
