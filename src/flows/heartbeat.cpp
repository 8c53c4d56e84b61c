#include "flows/heartbeat.hpp"

#include <utility>

namespace notify::flows {

Heartbeat::Heartbeat(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)), loops_(parts_.timers.executor(), std::move(on_escape)) {}

void Heartbeat::start() {
  loops_.spawn(heartbeat_loop());
  loops_.spawn(orphans_loop());
}

async::Task<void> Heartbeat::stop() { return loops_.stop(); }

async::Task<void> Heartbeat::sign_off() {
  end_term();
  const auto done = co_await parts_.leases.sign_off(soon());
  if (!done) parts_.events.step_failed("sign_off", done.error());
}

std::uint64_t Heartbeat::lease_term() const {
  if (last_heartbeat_ == base::SteadyTime::min()) return 0;
  // A fifth of the timeout stays for what is between this check and the provider.
  const auto trusted = parts_.policy.timeout * 4 / 5;
  return parts_.timers.clock().steady_now() < last_heartbeat_ + trusted ? term_ : 0;
}

stores::Pulse Heartbeat::pulse() const {
  stores::Pulse pulse = pulse_;
  if (lease_term() == 0) {
    pulse.leads = false;
    pulse.epoch = stores::Epoch::young;
  }
  return pulse;
}

async::Task<void> Heartbeat::heartbeat_loop() {
  for (;;) {
    // The time before the call: the time-to-live runs from some moment after it.
    const base::SteadyTime asked_at = parts_.timers.clock().steady_now();
    const stores::LifeSign sign{parts_.policy.timeout, !parts_.may_lead || parts_.may_lead()};
    const auto beaten =
        co_await parts_.leases.heartbeat(sign, parts_.timers.after(parts_.policy.interval));
    if (beaten) {
      // A term ends by our clock or by the books' word, whichever is first.
      if (lease_term() == 0 || beaten->term != pulse_.term) ++term_;
      last_heartbeat_ = asked_at;
      pulse_ = *beaten;
      if (claimed_in_ != pulse_.epoch_number) co_await claim();
    } else {
      parts_.events.step_failed("heartbeat", beaten.error());
    }
    co_await parts_.timers.sleep_for(parts_.policy.interval);
  }
}

/// The books of a new epoch know nothing of what is under way here, and recovery goes by them when
/// the epoch is no longer young. If the claim fails, others may get the leases: the term ends.
async::Task<void> Heartbeat::claim() {
  const std::uint64_t epoch = pulse_.epoch_number;
  const auto claimed =
      co_await parts_.leases.claim(parts_.held(term_), parts_.timers.after(parts_.policy.interval));
  if (claimed) {
    claimed_in_ = epoch;
  } else {
    parts_.events.step_failed("claim", claimed.error());
    end_term();
  }
}

async::Task<void> Heartbeat::orphans_loop() {
  for (;;) {
    co_await reclaim_orphans();
    co_await parts_.timers.sleep_for(parts_.policy.interval);
  }
}

/// A lease whose answer or release was lost stands in the queue's books while nobody works on it.
async::Task<void> Heartbeat::reclaim_orphans() {
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

}  // namespace notify::flows
