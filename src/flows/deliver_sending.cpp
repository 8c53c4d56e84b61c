// The part of deliver that sends: each device in its line, and what a provider says of tokens.

#include <algorithm>
#include <iterator>
#include <utility>

#include "flows/deliver.hpp"

namespace notify::flows {

using rules::LeftOut;
using rules::Notification;
using rules::OutcomeKind;

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
  // Devices that no provider is for have been left out.
  providers::Provider& provider = *parts_.providers.of(sending.target.device);
  const std::string server = provider.peer_of(sending.target.device);
  const bool waits = !sending.place.is_first();
  // Nobody waits behind one whose whole server hangs.
  if (sending.place.must_wait() && !breakers_.open_for(server)) co_await sending.place.wait();
  if (sending.place.is_first() && !sending.place.is_turned_away()) {
    co_await send_first(what, sending, {provider, server, waits});
  } else if (const auto wait = breakers_.open_for(server)) {
    leave_for_later(what, sending, not_asked(provider, *wait));
  } else {
    constexpr std::chrono::minutes kOutage{2};  // it waits as the one before it: half a minute
    leave_for_later(
        what, sending,
        {LeftOut::no_answer, "an earlier notification to this device got no answer in time",
         rules::plan_parking(kOutage, parts_.rng)});
  }
  sending.place.leave();
}

async::Task<void> Deliver::send_first(Styled what, Sending& sending, To to) {
  Breakers::Turn turn(breakers_, to.provider.name(), to.server,
                      what.held.lease.notification.priority,
                      [&sending] { sending.place.turn_others_away(); });
  if (turn.must_wait()) {
    to.has_waited = true;
    co_await turn.wait();
  }
  if (turn.is_refused()) {
    leave_for_later(what, sending, not_asked(to.provider, turn.retry_after()));
    co_return;
  }
  if (to.has_waited && !co_await is_still_wanted(what)) co_return;
  if (!owns(what.held)) co_return;
  const rules::Device& device = sending.target.device;
  const base::WallTime asked_at = now();
  const base::SteadyTime started = parts_.timers.clock().steady_now();
  const base::Deadline deadline = parts_.timers.after(to.provider.request_timeout());
  turn.asks();
  rules::Outcome& outcome = sending.outcome.emplace(co_await to.provider.send(
      what.held.lease.notification, what.style, sending.target.device, deadline));
  const base::SteadyTime ended = parts_.timers.clock().steady_now();
  turn.answered(outcome);
  parts_.events.sent(to.provider, outcome, ended - started);
  dead_tokens_.judge({to.provider.name(), to.server}, device.id, outcome);
  if (outcome.kind == OutcomeKind::not_processed) {
    park(what, sending, turn.retry_after());
    co_return;
  }
  // A registration after this request is another one.
  if (outcome.kind == OutcomeKind::token_gone && !outcome.invalid_since) {
    outcome.invalid_since = asked_at;
  }
  // Each of those behind would wait as long, with a lease of a user who may have few.
  const bool hangs = outcome.kind == OutcomeKind::unknown && deadline.passed(ended);
  if (hangs) sending.place.turn_others_away();
}

Deliver::NotAsked Deliver::not_asked(const providers::Provider& provider,
                                     std::chrono::milliseconds wait) {
  return {LeftOut::not_asked,
          std::string(provider.name()) +
              " does not answer, or answers too slowly: it is not asked for a while",
          wait};
}

/// As if it had not been tried. If it has expired meanwhile, the next look records that.
void Deliver::leave_for_later(Styled what, Sending& sending, NotAsked why) {
  if (now() >= what.held.lease.notification.expires_at) return;
  parts_.events.left_out(why.why);
  sending.outcome = {.kind = OutcomeKind::not_processed,
                     .code = std::string(rules::name(why.why)),
                     .message = std::move(why.message),
                     .was_asked = false};
  park(what, sending, why.wait);
}

/// It is looked at again before it expires, and then ends as what expired.
void Deliver::park(Styled what, Sending& sending, std::chrono::milliseconds wait) {
  sending.again = std::min(now() + wait, what.held.lease.notification.expires_at);
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
    if (!one.outcome || one.outcome->kind != OutcomeKind::token_gone) continue;
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
