#include "flows/retract.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "crypto/digest.hpp"
#include "rules/retraction.hpp"

namespace notify::flows {

using base::Expected;
using base::fail;
using stores::Ledger;

namespace {

/// Equal retractions of one caller are one.
stores::Submission submission_of(rules::Notification retraction, const Caller& caller) {
  stores::Submission submission;
  submission.idempotency.caller = caller.identity;
  submission.idempotency.request =
      crypto::digest("retraction:" + rules::encode_presentation(retraction.presentation));
  submission.idempotency.key = submission.idempotency.request;
  submission.notification = std::move(retraction);
  return submission;
}

bool may_have_come(const rules::Progress& progress) {
  return std::any_of(progress.attempts.begin(), progress.attempts.end(),
                     [](const rules::Attempt& a) { return rules::may_have_come(a); });
}

bool waits(const stores::Story& story) {
  const stores::HistoryRecord& record = story.record;
  return record.status == rules::Status::pending || record.status == rules::Status::deferred ||
         record.cancelled_at || story.due;
}

}  // namespace

async::Task<Expected<Retract::Found>> Retract::find(const RetractOrder& order,
                                                    base::Deadline deadline) {
  if (order.notification) {
    auto story = co_await parts_.history.find(*order.notification, soon(deadline));
    if (!story) co_return fail(std::move(story).error());
    Found found;
    const bool is_open = !story->record.retracted && !story->record.notification.is_retraction() &&
                         story->record.status != rules::Status::suppressed;
    const bool is_waiting = waits(*story);
    if (is_open) found.push_back({std::move(story->record), is_waiting});
    co_return found;
  }
  stores::RetractionScope scope = order.scope;
  if (order.up_to) {
    stores::RetractionScope last = scope;
    last.message = order.up_to;
    const auto newest = co_await parts_.history.newest_of(last, soon(deadline));
    if (!newest) co_return fail(newest.error());
    scope.up_to = *newest;
  }
  co_return co_await parts_.history.retractable(scope, kRetractMax + 1, soon(deadline));
}

async::Task<Expected<Retracting>> Retract::retract(RetractOrder order, Caller caller,
                                                   base::Deadline deadline) {
  auto found = co_await find(order, deadline);
  if (!found) co_return fail(std::move(found).error());
  Retracting result;
  result.has_more = found->size() > static_cast<std::size_t>(kRetractMax);
  if (result.has_more) found->resize(kRetractMax);
  if (found->empty()) co_return result;

  std::vector<rules::Notification> waiting;
  std::vector<base::NotificationId> ids;
  for (const stores::Retractable& one : *found) {
    ids.push_back(one.record.notification.id);
    if (one.waits) waiting.push_back(one.record.notification);
  }
  const auto at_work = co_await parts_.cancel.take_back(std::move(waiting), deadline);
  if (!at_work) co_return fail(at_work.error());
  const auto known = co_await parts_.ledger.progress(std::move(ids), soon(deadline));
  if (!known) {
    parts_.step_failed("progress", known.error());
    co_return fail(known.error());
  }

  const std::unordered_set<base::NotificationId> unfinished(at_work->begin(), at_work->end());
  std::vector<rules::Notification> shown;
  std::vector<Ledger::Marked> marks;
  const base::WallTime now = parts_.timers.clock().now();
  for (const stores::Retractable& one : *found) {
    const rules::Notification& n = one.record.notification;
    const auto progress = known->find(n.id);
    if (progress == known->end()) continue;  // its partition was dropped meanwhile
    const bool came = unfinished.contains(n.id) || may_have_come(progress->second);
    // A newer one with its collapse id has taken its place on the screen, and stays there.
    if (came && !progress->second.is_superseded) {
      shown.push_back(n);
      continue;
    }
    if (!came && progress->second.is_cancelled) ++result.withdrawn;
    marks.push_back({n.id, {now, std::nullopt, caller.identity}});
  }
  auto issued = co_await issue(
      rules::make_retractions(shown, order.badge,
                              [this] { return base::NotificationId(parts_.ids.next()); }),
      std::move(caller));
  if (!issued) co_return fail(std::move(issued).error());
  result.removed = issued->size();
  for (Ledger::Marked& one : *issued) {
    if (result.retractions.empty() || result.retractions.back() != *one.mark.by) {
      result.retractions.push_back(*one.mark.by);
    }
    marks.push_back(std::move(one));
  }
  const auto marked = co_await parts_.ledger.mark_retracted(std::move(marks), soon(deadline));
  if (!marked) {
    parts_.step_failed("mark_retracted", marked.error());
    co_return fail(marked.error());
  }
  co_return result;
}

async::Task<Expected<std::vector<Ledger::Marked>>> Retract::issue(
    std::vector<rules::Notification> retractions, Caller caller) {
  std::vector<Ledger::Marked> marks;
  if (retractions.empty()) co_return marks;
  std::vector<stores::Submission> submissions;
  submissions.reserve(retractions.size());
  for (const rules::Notification& n : retractions) {
    submissions.push_back(submission_of(n, caller));
  }
  const auto appended = co_await parts_.ledger.append(std::move(submissions), caller.lane);
  std::vector<stores::QueueItem> fresh;
  std::optional<base::Error> failure;
  for (std::size_t i = 0; i < appended.size(); ++i) {
    if (!appended[i]) {
      failure = appended[i].error();
      continue;
    }
    for (const rules::Retracted& one : retractions[i].presentation.retracts) {
      marks.push_back({one.id, {retractions[i].created_at(), appended[i]->id, caller.identity}});
    }
    if (appended[i]->is_repeat) continue;
    const base::WallTime created_at = retractions[i].created_at();
    fresh.push_back({std::move(retractions[i]), created_at});
  }
  if (!fresh.empty()) {
    // A sweep finds those that do not get into the queue, as it finds every notification.
    for (const auto& queued : co_await parts_.queue.enqueue(std::move(fresh))) {
      if (!queued) parts_.step_failed("enqueue", queued.error());
    }
    parts_.wake_deliver();
  }
  if (failure) {
    parts_.step_failed("append", *failure);
    co_return fail(*failure);
  }
  co_return marks;
}

}  // namespace notify::flows
