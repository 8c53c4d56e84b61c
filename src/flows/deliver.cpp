#include "flows/deliver.hpp"

#include <algorithm>
#include <utility>

namespace notify::flows {

using base::Expected;
using rules::Notification;
using rules::Status;
using rules::Target;

Deliver::Deliver(Parts parts, async::OnEscape on_escape)
    : parts_(std::move(parts)),
      users_(parts_.timers.executor()),
      devices_(parts_.timers.executor()),
      loop_(parts_.timers.executor(), on_escape),
      deliveries_(parts_.timers.executor(), on_escape),
      sends_(parts_.timers.executor(), on_escape),
      dead_tokens_({parts_.devices,
                    parts_.timers,
                    parts_.limits.brake,
                    parts_.limits.devices_timeout,
                    {parts_.events.braked, parts_.events.step_failed}},
                   on_escape),
      breakers_({parts_.timers, parts_.rng, parts_.limits.breaker, parts_.events.broken}) {}

void Deliver::start() { loop_.spawn(lease_loop()); }

void Deliver::wake() {
  woken_ = true;
  if (sleeper_ != nullptr) sleeper_->complete({});
}

std::vector<stores::Lease> Deliver::held(std::uint64_t term) const {
  std::vector<stores::Lease> leases;
  leases.reserve(held_.size());
  for (const auto& [id, held] : held_) {
    if (held.term == term) leases.push_back(held.lease);
  }
  return leases;
}

async::Task<void> Deliver::stop() {
  stop_leasing();
  stopping_ = true;
  co_await loop_.join();
  co_await deliveries_.join();
  co_await sends_.join();
  co_await dead_tokens_.stop();
}

async::Task<void> Deliver::lease_loop() {
  while (leasing_) {
    woken_ = false;
    const std::size_t leased = co_await lease_some();
    if (!leasing_ || 2 * leased >= parts_.limits.lease_max) continue;
    if (leased > 0 || woken_) {
      co_await parts_.timers.sleep_for(parts_.limits.lease_interval);
    } else {
      co_await pause();
    }
  }
}

async::Task<void> Deliver::pause() {
  async::OneShot<async::Unit> woken(parts_.timers.executor());
  async::Timer poll(parts_.timers, [&woken] { woken.complete({}); });
  poll.arm(parts_.timers.after(parts_.limits.idle_poll));
  sleeper_ = &woken;
  co_await woken.wait();
  sleeper_ = nullptr;
}

/// Leases once. Returns how many.
async::Task<std::size_t> Deliver::lease_some() {
  const std::size_t room =
      parts_.limits.in_flight_max - std::min(parts_.limits.in_flight_max, held_.size());
  const std::uint64_t term = parts_.lease_term();
  if (room == 0 || term == 0 || breakers_.is_congested()) co_return 0;
  const std::size_t wanted = std::min(room, parts_.limits.lease_max);
  auto leased = co_await parts_.queue.lease(wanted, soon());
  if (!leased) {
    parts_.events.step_failed("lease", leased.error());
    co_return 0;
  }
  std::vector<Held*> suspects;
  for (stores::Lease& lease : *leased) {
    const base::NotificationId id = lease.notification.id;
    const bool is_suspect = lease.suspect;
    const auto [place, is_new] = held_.try_emplace(id, std::move(lease), term, users_);
    // Still at work on an earlier lease of it: whatever comes of that is good for this one too.
    if (!is_new) continue;
    if (is_suspect) {
      suspects.push_back(&place->second);
    } else if (!deliveries_.spawn(deliver_one(place->second, std::nullopt))) {
      let_go(place->second);
    }
  }
  const std::size_t count = leased->size();
  if (!suspects.empty()) deliveries_.spawn(admit_suspects(std::move(suspects)));
  co_return count;
}

/// What was tried before is looked up, for all of a lease at once, before anything is sent again.
async::Task<void> Deliver::admit_suspects(std::vector<Held*> suspects) {
  std::vector<base::NotificationId> ids;
  ids.reserve(suspects.size());
  for (const Held* held : suspects) ids.push_back(held->lease.notification.id);
  const auto known = co_await parts_.ledger.progress(std::move(ids), soon());
  if (!known) parts_.events.step_failed("progress", known.error());
  for (Held* held : suspects) {
    const stores::LeaseKey key = held->lease.key();
    if (!known) {
      co_await put_off(held->lease);
      let_go(*held);
      continue;
    }
    const auto found = known->find(key.notification);
    const bool finished = found == known->end() || rules::is_finished(found->second);
    const bool spawned = finished ? deliveries_.spawn(close(*held))
                                  : deliveries_.spawn(deliver_one(*held, found->second));
    if (!spawned) let_go(*held);
  }
}

/// It is over; what it still has in `due`, from who did not know, would bring it back for ever.
async::Task<void> Deliver::close(Held& held) {
  stores::DeliveryRecord record;
  record.notification = held.lease.notification.id;
  record.at = now();
  record.was_due = true;
  co_await settle(held.lease, std::move(record));
  let_go(held);
}

/// What is let go and not given up, recover finds: a lease that nobody works on.
void Deliver::let_go(const Held& held) {
  const bool was_full = held_.size() >= parts_.limits.in_flight_max;
  const base::NotificationId id = held.lease.notification.id;  // not of what is being erased
  held_.erase(id);
  if (was_full) wake();
}

async::Task<void> Deliver::deliver_one(Held& held, std::optional<rules::Progress> known) {
  try {
    co_await deliver_held(held, std::move(known));
  } catch (...) {
    let_go(held);
    throw;
  }
  let_go(held);
}

/// `known` is what was done already; unset for a first, clean try.
async::Task<void> Deliver::deliver_held(Held& held, std::optional<rules::Progress> known) {
  const stores::Lease& lease = held.lease;
  const Notification& n = lease.notification;
  if (held.place.must_wait()) co_await held.place.wait();
  if (!leasing_) co_return;  // it stays on the books, for the others
  const bool was_due = known.has_value();
  const rules::Progress before = std::move(known).value_or(rules::Progress{});
  if (before.is_superseded) {
    co_await finish(lease, Status::superseded, before, was_due);
    co_return;
  }
  Deciding::User user = parts_.deciding.known(n.user);
  if (!user) user = co_await read_user(n);
  if (!user) {
    co_await put_off(lease);
    co_return;
  }
  const Deciding::Outcome outcome = parts_.deciding.decide(user, n);
  switch (outcome.decision.verdict) {
    case rules::Verdict::deliver:
    case rules::Verdict::deliver_silently:
      co_await try_devices(held, {user, outcome}, before, was_due);
      break;
    case rules::Verdict::defer:
    case rules::Verdict::suppress: co_await hold_back(lease, {user, outcome}, before, was_due);
  }
}

/// False: it could not be read.
async::Task<Deciding::User> Deliver::read_user(const Notification& n) {
  auto read = co_await parts_.deciding.read(n.user);
  if (read) co_return std::move(*read);
  parts_.events.step_failed("settings", read.error());
  co_return Deciding::User{};
}

async::Task<void> Deliver::try_devices(Held& held, Decided decided, const rules::Progress& before,
                                       bool was_due) {
  const stores::Lease& lease = held.lease;
  const Notification& n = lease.notification;
  auto devices = co_await parts_.devices.user_devices(
      n.user, parts_.timers.after(parts_.limits.devices_timeout));
  if (!devices) {
    parts_.events.step_failed("devices", devices.error());
    co_await postpone_for_devices(lease, devices.error());
    co_return;
  }
  if (n.is_retraction()) {
    auto told = co_await devices_to_clear(held, *devices, before, was_due);
    if (!told) co_return;
    devices = std::move(*told);
  }
  rules::Targets targets = rules::choose_targets(*devices, before, now());
  auto untried = rules::leave_out(
      targets.due, *devices, before,
      [this](const rules::Device& device) { return parts_.providers.flaw_of(device); });
  if (parts_.limiting != nullptr && parts_.limiting->limits_devices()) {
    co_await bar_over_limits(n, targets.due, untried);
  }
  for (const rules::Untried& one : untried) parts_.events.left_out(one.why);
  rules::Style style = decided.outcome.style;
  if (before.group_size > 0) {
    style.stands_for = before.group_size;
    if (parts_.bursts != nullptr) co_await parts_.bursts->open(n);
  }
  // In the order of the leases: the next of this user gets its places after this one.
  Sendings sendings;
  for (Target& target : targets.due) {
    sendings.emplace_back(std::move(target), devices_, n.priority);
  }
  held.place.leave();
  co_await send_all({held, style}, sendings);
  const bool is_untouched =
      !sendings.empty() && std::none_of(sendings.begin(), sendings.end(),
                                        [](const Sending& one) { return one.was_tried(); });
  if (is_untouched && !owns(held)) co_return;  // it stays on the books, for the others

  stores::DeliveryRecord record = sum_up(n, sendings, untried, before, targets.next_due);
  record.was_due = was_due;
  // When it was accepted, nothing was decided yet.
  if (n.deliver_at && record.status) {
    record.decision = parts_.deciding.record(decided.user, n, decided.outcome);
  }
  co_await settle(lease, std::move(record));
  report_dead_tokens(n.user, sendings);
}

/// Lifetime: both lists are in the caller's frame.
async::Task<void> Deliver::bar_over_limits(const Notification& n, std::vector<Target>& due,
                                           std::vector<rules::Untried>& untried) {
  if (parts_.deciding.is_critical(n)) co_return;
  std::vector<base::DeviceId> devices;
  devices.reserve(due.size());
  for (const Target& target : due) devices.push_back(target.device.id);
  const auto outcomes = co_await parts_.limiting->take(std::move(devices), n.type);
  std::vector<Target> within;
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (!outcomes[i].reached) {
      within.push_back(std::move(due[i]));
      continue;
    }
    using rules::LeftOut;
    untried.push_back(
        {std::move(due[i]), LeftOut::rate_limit,
         rules::left_for_later(LeftOut::rate_limit, rules::describe(*outcomes[i].reached),
                               std::chrono::ceil<std::chrono::seconds>(outcomes[i].retry_after))});
  }
  due = std::move(within);
}

async::Task<void> Deliver::hold_back(const stores::Lease& lease, Decided decided,
                                     const rules::Progress& before, bool was_due) {
  const Deciding::Outcome& outcome = decided.outcome;
  const bool is_over = outcome.decision.by == rules::Rule::lifetime;
  const bool waits = outcome.decision.verdict == rules::Verdict::defer;
  stores::DeliveryRecord record;
  record.notification = lease.notification.id;
  record.at = now();
  record.was_due = was_due;
  record.decision = parts_.deciding.record(decided.user, lease.notification, outcome);
  if (waits) {
    record.due = stores::Due{outcome.release_at, stores::DueReason::deferred, {}};
    record.expires_at = outcome.expires_at;
  }
  // A replay stays failed, and what one device has accepted stays delivered.
  if (!rules::is_final(before.status)) {
    record.status = is_over ? Status::expired : waits ? Status::deferred : Status::suppressed;
  }
  co_await settle(lease, std::move(record));
}

/// What one device has accepted stays delivered, though it is over for the others.
async::Task<void> Deliver::finish(const stores::Lease& lease, Status status,
                                  const rules::Progress& before, bool was_due) {
  stores::DeliveryRecord record;
  record.notification = lease.notification.id;
  record.at = now();
  record.was_due = was_due;
  if (!rules::is_final(before.status)) record.status = status;
  co_await settle(lease, std::move(record));
}

/// What is needed to go on cannot be read: the queue keeps it until it can.
async::Task<void> Deliver::put_off(const stores::Lease& lease) {
  const auto back =
      co_await parts_.queue.postpone(lease.key(), now() + parts_.limits.devices_retry);
  if (!back) parts_.events.step_failed("postpone", back.error());
}

async::Task<void> Deliver::postpone_for_devices(const stores::Lease& lease,
                                                const base::Error& why) {
  stores::DeliveryRecord record;
  record.notification = lease.notification.id;
  record.at = now();
  const auto jitter = std::chrono::milliseconds(parts_.rng.below(1000));
  record.due = stores::Due{record.at + parts_.limits.devices_retry + jitter,
                           stores::DueReason::devices_unavailable, why.detail};
  co_await settle(lease, std::move(record));
}

/// Commits the record, then gives up the lease: never the other way round.
async::Task<void> Deliver::settle(const stores::Lease& lease, stores::DeliveryRecord record) {
  const std::optional<stores::Due> due = record.due;
  const std::optional<Status> status = record.status;
  const stores::LeaseKey key = lease.key();
  // An outcome that is not recorded would be repeated: it waits here, with its lease, until it is.
  // in_flight_max bounds how many wait.
  Expected<void> recorded = co_await parts_.ledger.record(record);
  while (!recorded && !stopping_) {
    parts_.events.step_failed("record", recorded.error());
    co_await parts_.timers.sleep_for(parts_.limits.record_retry);
    recorded = co_await parts_.ledger.record(record);
  }
  if (!recorded) {
    parts_.events.step_failed("record", recorded.error());
    co_await put_off(lease);
    co_return;
  }
  if (status) parts_.events.finished(*status, now() - lease.notification.begins_at());
  // The end of quiet hours may come earlier than planned, if the user changes them: then what
  // waits in the ledger is found there, and what were in the queue would not be.
  const bool within_horizon =
      due && due->reason != stores::DueReason::deferred && due->at <= now() + stores::kQueueHorizon;
  const Expected<void> released = within_horizon ? co_await parts_.queue.postpone(key, due->at)
                                                 : co_await parts_.queue.ack(key);
  if (!released) parts_.events.step_failed("release", released.error());
}

}  // namespace notify::flows
