#include "flows/cancel.hpp"

#include <algorithm>
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
    std::vector<rules::Notification> alone{story->record.notification};
    const auto at_work = co_await still_at_work(std::move(alone), deadline);
    if (!at_work) {
      parts_.events.step_failed("withdraw", at_work.error());
      co_return fail(base::Errc::unavailable, "it is not known whether a worker has it");
    }
    story = co_await parts_.history.find(id, soon(deadline));
    if (!story) co_return fail(std::move(story).error());
    cancelled.status = story->record.status;
    if (at_work->empty()) cancelled.result = rules::cancel_result(story->attempts);
  }
  parts_.events.answered(cancelled.result);
  co_return cancelled;
}

async::Task<Expected<Cancel::Ids>> Cancel::take_back(std::vector<rules::Notification> which,
                                                     base::Deadline deadline) {
  std::vector<rules::Notification> marked;
  for (rules::Notification& n : which) {
    const base::WallTime now = parts_.timers.clock().now();
    const auto is_marked =
        co_await parts_.ledger.cancel(n.id, now, decision_of(n, now), soon(deadline));
    if (!is_marked) {
      parts_.events.step_failed("mark", is_marked.error());
      co_return fail(is_marked.error());
    }
    if (*is_marked) marked.push_back(std::move(n));
  }
  if (marked.empty()) co_return Ids{};
  auto at_work = co_await still_at_work(std::move(marked), deadline);
  if (at_work) co_return std::move(*at_work);
  parts_.events.step_failed("withdraw", at_work.error());
  co_return fail(base::Errc::unavailable, "it is not known whether a worker has one of them");
}

async::Task<Expected<Cancel::Ids>> Cancel::still_at_work(std::vector<rules::Notification> which,
                                                         base::Deadline deadline) {
  const base::Deadline end = deadline.earlier_of(parts_.timers.after(parts_.policy.wait));
  const base::Error unknown{base::Errc::unavailable, "the queue may lack what is leased"};
  std::vector<Expected<bool>> known(which.size(), Expected<bool>(fail(unknown)));
  for (;;) {
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (parts_.pulse().epoch == stores::Epoch::young) break;
      if (known[i] && !*known[i]) continue;
      auto leased = co_await parts_.repairs.withdraw(which[i], end);
      // A look that failed takes nothing from one before it that did not.
      if (leased || !known[i]) known[i] = std::move(leased);
    }
    const bool all_free = std::all_of(known.begin(), known.end(),
                                      [](const auto& leased) { return leased && !*leased; });
    if (all_free) co_return Ids{};
    if (end.passed(parts_.timers.clock().steady_now() + parts_.policy.poll)) break;
    co_await parts_.timers.sleep_for(parts_.policy.poll);
  }
  Ids at_work;
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (!known[i]) co_return fail(known[i].error());
    if (*known[i]) at_work.push_back(which[i].id);
  }
  co_return at_work;
}

}  // namespace notify::flows
