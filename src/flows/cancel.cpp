#include "flows/cancel.hpp"

#include <utility>

#include "rules/decision.hpp"

namespace notify::flows {

using base::Expected;
using base::fail;
using rules::CancelResult;

namespace {

/// As rules::decide() says of what is cancelled; that is the first thing it asks.
std::string decision_of(const rules::Notification& n, base::WallTime at) {
  const rules::UserSettings user;
  const rules::ConversationSettings conversation;
  rules::Circumstances facts{n, user, conversation, at};
  facts.is_cancelled = true;
  return rules::encode_decision(facts, rules::decide(facts));
}

}  // namespace

async::Task<Expected<Cancelled>> Cancel::cancel(base::NotificationId id, base::Deadline deadline) {
  auto story = co_await parts_.history.find(id, soon(deadline));
  if (!story) co_return fail(std::move(story).error());
  const base::WallTime now = parts_.timers.clock().now();
  const auto marked = co_await parts_.ledger.cancel(
      id, now, decision_of(story->record.notification, now), soon(deadline));
  if (!marked) {
    parts_.events.step_failed("mark", marked.error());
    co_return fail(marked.error());
  }
  Cancelled cancelled{CancelResult::too_late, story->record.status};
  if (*marked) {
    const auto at_work = co_await is_at_work(story->record.notification, deadline);
    if (!at_work) {
      parts_.events.step_failed("withdraw", at_work.error());
      co_return fail(base::Errc::unavailable, "it is not known whether a worker has it");
    }
    story = co_await parts_.history.find(id, soon(deadline));
    if (!story) co_return fail(std::move(story).error());
    cancelled.status = story->record.status;
    if (!*at_work) cancelled.result = rules::cancel_result(story->attempts);
  }
  parts_.events.answered(cancelled.result);
  co_return cancelled;
}

async::Task<Expected<bool>> Cancel::is_at_work(rules::Notification n, base::Deadline deadline) {
  const base::Deadline end = deadline.earlier_of(parts_.timers.after(parts_.policy.wait));
  Expected<bool> known = fail(base::Errc::unavailable, "the queue may lack what is leased");
  for (;;) {
    if (parts_.pulse().epoch != stores::Epoch::young) {
      auto leased = co_await parts_.repairs.withdraw(n, end);
      if (leased && !*leased) co_return false;
      // A look that failed takes nothing from one before it that did not.
      if (leased || !known) known = std::move(leased);
    }
    if (end.passed(parts_.timers.clock().steady_now() + parts_.policy.poll)) co_return known;
    co_await parts_.timers.sleep_for(parts_.policy.poll);
  }
}

}  // namespace notify::flows
