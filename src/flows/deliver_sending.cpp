// The part of deliver that sends: each device in its line, and what a provider says of tokens.

#include <algorithm>
#include <iterator>
#include <utility>

#include "flows/deliver.hpp"

namespace notify::flows {

using rules::Notification;

/// Lifetime: `sendings` is in the caller's frame.
async::Task<void> Deliver::send_all(Styled what, Sendings& sendings) {
  if (sendings.empty()) co_return;
  // Most users have one device: the first send needs no task of its own.
  std::size_t left = sendings.size() - 1;
  async::OneShot<async::Unit> others_done(parts_.timers.executor());
  for (auto one = std::next(sendings.begin()); one != sendings.end(); ++one) {
    sends_.spawn(send_beside(what, *one, left, others_done));
  }
  co_await send_in_turn(what, sendings.front());
  if (left > 0) co_await others_done.wait();
}

async::Task<void> Deliver::send_beside(Styled what, Sending& sending, std::size_t& left,
                                       async::OneShot<async::Unit>& others_done) {
  co_await send_in_turn(what, sending);
  if (--left == 0) others_done.complete({});
}

async::Task<void> Deliver::send_in_turn(Styled what, Sending& sending) {
  const bool waits = !sending.place.is_first();
  if (sending.place.must_wait()) co_await sending.place.wait();
  if (sending.place.is_turned_away()) {
    turn_away(what.held.lease.notification, sending);
  } else if (const bool wanted = !waits || co_await is_still_wanted(what);
             wanted && owns(what.held)) {
    co_await send_one(what, sending);
  }
  sending.place.leave();
}

/// If the notification has expired meanwhile, it is not tried again: the next look records that.
void Deliver::turn_away(const Notification& n, Sending& sending) {
  if (now() >= n.expires_at) return;
  using rules::LeftOut;
  parts_.events.left_out(LeftOut::no_answer);
  sending.outcome = rules::left_for_later(
      LeftOut::no_answer, "an earlier notification to this device got no answer in time");
}

/// It is looked at again before it expires, and then ends as what expired.
void Deliver::park(const Notification& n, const std::string& peer, Sending& sending) {
  constexpr std::size_t kPeersMax = 1000;
  const rules::Outcome& outcome = *sending.outcome;
  const base::SteadyTime steady = parts_.timers.clock().steady_now();
  std::chrono::nanoseconds outage{0};
  if (outcome.was_asked) {
    if (unreachable_since_.size() >= kPeersMax) unreachable_since_.clear();
    outage = steady - unreachable_since_.try_emplace(peer, steady).first->second;
  }
  const std::chrono::milliseconds wait =
      std::max<std::chrono::milliseconds>(rules::plan_parking(outage, parts_.rng),
                                          outcome.retry_after.value_or(std::chrono::seconds(0)));
  sending.again = std::min(now() + wait, n.expires_at);
}

async::Task<void> Deliver::send_one(Styled what, Sending& sending) {
  // Devices that no provider is for have been left out.
  providers::Provider& provider = *parts_.providers.of(sending.target.device);
  const rules::Device& device = sending.target.device;
  const base::WallTime asked_at = now();
  const base::SteadyTime started = parts_.timers.clock().steady_now();
  const base::Deadline deadline = parts_.timers.after(provider.request_timeout());
  sending.outcome = co_await provider.send(what.held.lease.notification, what.style,
                                           sending.target.device, deadline);
  const base::SteadyTime ended = parts_.timers.clock().steady_now();
  parts_.events.sent(provider, *sending.outcome, ended - started);
  const std::string peer = provider.peer_of(device);
  dead_tokens_.judge({provider.name(), peer}, device.id, *sending.outcome);
  if (sending.outcome->kind == rules::OutcomeKind::not_processed) {
    park(what.held.lease.notification, peer, sending);
    co_return;
  }
  if (sending.outcome->was_asked) unreachable_since_.erase(peer);
  // A registration after this request is another one.
  if (sending.outcome->kind == rules::OutcomeKind::token_gone && !sending.outcome->invalid_since) {
    sending.outcome->invalid_since = asked_at;
  }
  // Each of those behind would wait as long, with a lease of a user who may have few.
  const bool hangs = sending.outcome->kind == rules::OutcomeKind::unknown && deadline.passed(ended);
  if (hangs) sending.place.turn_others_away();
}

/// A node that lost its leases while it waited must not send: somebody else may be doing so.
bool Deliver::owns(const Held& held) const { return leasing_ && parts_.lease_term() == held.term; }

/// Whether what was decided before it waited in a device's line still holds.
async::Task<bool> Deliver::is_still_wanted(Styled what) {
  const Notification& n = what.held.lease.notification;
  Deciding::User user = parts_.deciding.known(n.user);
  if (!user) user = co_await read_user(n);
  if (!user) co_return false;
  const Deciding::Outcome again = parts_.deciding.decide(user, n);
  if (again.decision.verdict != rules::Verdict::deliver &&
      again.decision.verdict != rules::Verdict::deliver_silently) {
    co_return false;
  }
  rules::Style style = again.style;
  style.stands_for = what.style.stands_for;
  co_return style == what.style;
}

stores::DeliveryRecord Deliver::sum_up(const Notification& n, const Sendings& sendings,
                                       const std::vector<rules::Untried>& untried,
                                       const rules::Progress& before,
                                       std::optional<base::WallTime> next_due) {
  stores::DeliveryRecord record;
  record.notification = n.id;
  record.at = now();
  const auto conclude = [&](const rules::Target& target, const rules::Outcome& outcome) {
    record.attempts.push_back(
        rules::conclude(n, target, outcome, parts_.retry, record.at, parts_.rng));
  };
  std::string why_not_tried;
  for (const Sending& one : sendings) {
    if (one.was_tried()) {
      conclude(one.target, *one.outcome);
      continue;
    }
    const base::WallTime again = one.again.value_or(record.at);
    next_due = std::min(next_due.value_or(again), again);
    if (one.outcome) why_not_tried = one.outcome->message;
  }
  for (const rules::Untried& one : untried) conclude(one.target, one.outcome);
  const rules::RollUp sum = rules::roll_up(before, record.attempts, next_due);
  record.status = sum.status;
  if (sum.retry_at) {
    record.due = stores::Due{*sum.retry_at, stores::DueReason::retry, std::move(why_not_tried)};
  }
  return record;
}

void Deliver::report_dead_tokens(base::UserId user, const Sendings& sendings) {
  for (const Sending& one : sendings) {
    if (!one.outcome || one.outcome->kind != rules::OutcomeKind::token_gone) continue;
    const rules::Device& device = one.target.device;
    dead_tokens_.report(parts_.providers.of(device)->peer_of(device),
                        {.user = user,
                         .device = device.id,
                         .token = device.token,
                         .reason = one.outcome->code,
                         .invalid_since = one.outcome->invalid_since.value_or(now())});
  }
}

}  // namespace notify::flows
