#include "flows/accept.hpp"

#include <algorithm>
#include <utility>

#include "crypto/digest.hpp"

namespace notify::flows {
namespace {

rules::Idempotency idempotency_of(const rules::SendRequest& request, const Caller& caller) {
  rules::Idempotency idempotency;
  idempotency.caller = caller.identity;
  idempotency.request = crypto::digest(rules::canonical_request(request));
  idempotency.is_explicit = !request.idempotency_key.empty();
  // A prefix keeps a key from ever being the digest of some request.
  idempotency.key = idempotency.is_explicit
                        ? crypto::digest("key:" + std::string(request.idempotency_key))
                        : idempotency.request;
  return idempotency;
}

base::Unexpected<Refusal> refuse_critical() {
  Refusal refusal;
  refusal.error.code = base::Errc::permission_denied;
  refusal.violations = {
      {"type", "is critical: only the services named in decision.critical_callers may send it"}};
  return base::Unexpected<Refusal>(std::move(refusal));
}

}  // namespace

Accept::Accept(Parts parts, const base::Clock& clock, const async::Executor& executor,
               async::OnEscape on_escape)
    : parts_(std::move(parts)), clock_(clock), queueing_(executor, std::move(on_escape)) {}

async::Task<Accept::Answers> Accept::accept(std::vector<rules::SendRequest> requests,
                                            Caller caller) {
  Answers answers;
  answers.reserve(requests.size());
  if (const auto why = refusal_of_all()) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      parts_.events.refused(why->code);
      answers.emplace_back(refuse(*why));
    }
    co_return answers;
  }
  Render::Results rendered;
  if (uses_templates(requests)) rendered = co_await parts_.render->render(requests);
  std::vector<Draft> drafts;
  drafts.reserve(requests.size());
  bool all_known = true;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto own = rendered.find(i);
    auto checked = check(requests[i], caller, own == rendered.end() ? nullptr : &own->second);
    if (checked) {
      checked->place = answers.size();
      all_known = all_known && static_cast<bool>(checked->user);
      drafts.push_back(std::move(*checked));
      answers.emplace_back(Accepted{});
    } else {
      answers.emplace_back(base::Unexpected<Refusal>(std::move(checked).error()));
    }
  }
  if (!all_known) co_await read_users(drafts, answers);
  if (limits_apply()) co_await apply_limits(drafts, caller, answers);
  if (parts_.bursts != nullptr) co_await join_bursts(drafts);
  co_await commit(std::move(drafts), std::move(caller.lane), answers);
  co_return answers;
}

/// Lifetime: `answers` is in the caller's frame.
async::Task<void> Accept::commit(std::vector<Draft> drafts, std::string lane, Answers& answers) {
  std::vector<Pending> pending;
  std::vector<stores::Submission> submissions;
  pending.reserve(drafts.size());
  submissions.reserve(drafts.size());
  for (Draft& draft : drafts) {
    if (!draft.user) continue;
    decide(draft);
    const rules::Notification& n = draft.submission.notification;
    pending.push_back({draft.place,
                       {n, draft.waits_until.value_or(n.begins_at())},
                       draft.waits_until.has_value(),
                       std::move(draft.limits),
                       std::move(draft.burst.opened)});
    submissions.push_back(std::move(draft.submission));
  }
  auto appended = co_await parts_.ledger.append(std::move(submissions), std::move(lane));
  std::vector<stores::QueueItem> fresh;
  std::vector<stores::QueueItem> waiting;
  std::vector<base::NotificationId> overdue;
  Uncounted uncounted;
  for (std::size_t i = 0; i < appended.size(); ++i) {
    if (!appended[i]) {
      parts_.events.refused(appended[i].error().code);
      // What may have been stored stays counted: asked for again, it is a repeat.
      if (appended[i].error().code != base::Errc::timed_out) uncounted.add(pending[i]);
      answers[pending[i].place] = refuse(std::move(appended[i]).error());
      continue;
    }
    const stores::Appended& there = *appended[i];
    answers[pending[i].place] = Accepted{there.id, there.expires_at, there.status, there.is_repeat};
    if (there.is_repeat) {
      parts_.events.repeated();
      uncounted.add(pending[i]);
      if (is_overdue(there)) overdue.push_back(there.id);
    } else {
      parts_.events.accepted();
      // What waits has a row in `due`; what is suppressed is over.
      if (there.status == rules::Status::pending) {
        fresh.push_back(std::move(pending[i].item));
      } else if (pending[i].waits) {
        waiting.push_back(std::move(pending[i].item));
      }
    }
  }
  // From here on they are safe, and so are the answers.
  if (!fresh.empty()) queueing_.spawn(enqueue(std::move(fresh)));
  if (!waiting.empty() && parts_.promote) queueing_.spawn(parts_.promote(std::move(waiting)));
  if (!overdue.empty() && parts_.recheck) queueing_.spawn(parts_.recheck(std::move(overdue)));
  if (!uncounted.limits.empty() || !uncounted.bursts.empty()) {
    queueing_.spawn(give_back(std::move(uncounted)));
  }
}

void Accept::Uncounted::add(Pending& pending) {
  if (!pending.limits.counted.claim.empty()) limits.push_back(std::move(pending.limits));
  if (!pending.burst.claim.empty()) bursts.push_back(std::move(pending.burst));
}

async::Task<void> Accept::give_back(Uncounted uncounted) {
  if (!uncounted.limits.empty()) co_await parts_.limiting->give_back(std::move(uncounted.limits));
  if (!uncounted.bursts.empty()) co_await parts_.bursts->give_back(std::move(uncounted.bursts));
}

bool Accept::uses_templates(const std::vector<rules::SendRequest>& requests) const {
  return parts_.render != nullptr &&
         std::any_of(requests.begin(), requests.end(),
                     [](const auto& request) { return request.template_use.has_value(); });
}

Accept::Checked Accept::check(const rules::SendRequest& request, const Caller& caller,
                              const base::Expected<rules::RenderResult>* rendered) {
  if (rendered != nullptr && !*rendered) {
    parts_.events.refused(rendered->error().code);
    return refuse(rendered->error());
  }
  const base::NotificationId id(parts_.ids.next());
  const rules::RenderResult* texts = rendered == nullptr ? nullptr : &rendered->value();
  auto checked = rules::validate(request, id, parts_.expiry, texts);
  if (auto* violations = std::get_if<rules::Violations>(&checked)) {
    parts_.events.refused(base::Errc::invalid);
    return refuse(std::move(*violations));
  }
  Draft draft;
  draft.submission.notification = std::move(std::get<rules::Notification>(checked));
  if (!parts_.deciding.may_send(caller.identity, draft.submission.notification)) {
    parts_.events.refused(base::Errc::permission_denied);
    return refuse_critical();
  }
  draft.submission.idempotency = idempotency_of(request, caller);
  draft.user = parts_.deciding.known(draft.submission.notification.user);
  return draft;
}

async::Task<void> Accept::read_users(std::vector<Draft>& drafts, Answers& answers) {
  std::vector<base::UserId> users;
  std::vector<Draft*> waiting;
  for (Draft& draft : drafts) {
    if (draft.user) continue;
    users.push_back(draft.submission.notification.user);
    waiting.push_back(&draft);
  }
  auto read = co_await parts_.deciding.read(std::move(users));
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (read[i]) {
      waiting[i]->user = std::move(*read[i]);
    } else {
      // Who may want quiet is not sent anything on a guess.
      parts_.events.refused(read[i].error().code);
      answers[waiting[i]->place] =
          refuse({base::Errc::unavailable, "the user's settings cannot be read"});
    }
  }
}

async::Task<void> Accept::apply_limits(std::vector<Draft>& drafts, const Caller& caller,
                                       Answers& answers) {
  std::vector<Draft*> limited;
  std::vector<const rules::Notification*> notifications;
  for (Draft& draft : drafts) {
    const rules::Notification& n = draft.submission.notification;
    if (!draft.user || !parts_.deciding.is_limited(draft.user, n)) continue;
    limited.push_back(&draft);
    notifications.push_back(&n);
  }
  auto outcomes =
      co_await parts_.limiting->take(std::move(notifications), {caller.identity, caller.ip});
  std::vector<Draft*> over;
  for (std::size_t i = 0; i < limited.size(); ++i) {
    Limiting::Outcome& limits = limited[i]->limits = std::move(outcomes[i]);
    if (limits.reached && limits.consequence == rules::OverLimit::refuse) {
      over.push_back(limited[i]);
    }
  }
  if (!over.empty()) co_await refuse_over_limits(std::move(over), answers);
}

/// A caller that has not heard the answer asks again, and must not be told that it was refused.
/// While the ledger does not say whether it knows a request, the answer is that this is not known.
async::Task<void> Accept::refuse_over_limits(std::vector<Draft*> drafts, Answers& answers) {
  std::vector<stores::Submission> submissions;
  submissions.reserve(drafts.size());
  for (Draft* draft : drafts) {
    submissions.push_back(std::move(draft->submission));
    draft->user = {};
  }
  const auto known = co_await parts_.ledger.find_repeats(std::move(submissions));
  std::vector<base::NotificationId> overdue;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    Answer<Accepted>& answer = answers[drafts[i]->place];
    if (known[i]) {
      parts_.events.repeated();
      answer = Accepted{known[i]->id, known[i]->expires_at, known[i]->status, true};
      if (is_overdue(*known[i])) overdue.push_back(known[i]->id);
    } else if (known[i].error().code == base::Errc::not_found) {
      parts_.events.refused(base::Errc::overloaded);
      answer = base::Unexpected<Refusal>(refuse_over_limit(drafts[i]->limits));
    } else {
      parts_.events.refused(known[i].error().code);
      answer = refuse(known[i].error());
    }
  }
  if (!overdue.empty() && parts_.recheck) queueing_.spawn(parts_.recheck(std::move(overdue)));
}

async::Task<void> Accept::join_bursts(std::vector<Draft>& drafts) {
  std::vector<Draft*> grouped;
  std::vector<const rules::Notification*> notifications;
  for (Draft& draft : drafts) {
    const rules::Notification& n = draft.submission.notification;
    if (!draft.user || draft.limits.reached || n.deliver_at) continue;
    if (!parts_.deciding.is_grouped(draft.user, n)) continue;
    grouped.push_back(&draft);
    notifications.push_back(&n);
  }
  if (grouped.empty()) co_return;
  auto joined = co_await parts_.bursts->join(std::move(notifications));
  for (std::size_t i = 0; i < grouped.size(); ++i) grouped[i]->burst = std::move(joined[i]);
}

void Accept::decide(Draft& draft) const {
  stores::Submission& submission = draft.submission;
  rules::Notification& n = submission.notification;
  if (n.deliver_at && !draft.limits.reached) return schedule(draft);
  const Deciding::Outcome outcome =
      parts_.deciding.decide(draft.user, n, {draft.limits.reached, draft.burst.until});
  submission.decision = parts_.deciding.record(draft.user, n, outcome);
  switch (outcome.decision.verdict) {
    case rules::Verdict::deliver:
    case rules::Verdict::deliver_silently: break;
    case rules::Verdict::suppress: submission.status = rules::Status::suppressed; break;
    case rules::Verdict::defer:
      submission.status = rules::Status::deferred;
      n.expires_at = outcome.expires_at.value_or(n.expires_at);
      submission.due = stores::Due{outcome.release_at, stores::DueReason::deferred, {}};
      if (outcome.decision.by == rules::Rule::burst) draft.waits_until = outcome.release_at;
  }
}

void Accept::schedule(Draft& draft) {
  stores::Submission& submission = draft.submission;
  const rules::Notification& n = submission.notification;
  submission.decision = rules::encode_scheduled(n.created_at(), *n.deliver_at);
  submission.status = rules::Status::deferred;
  submission.due = stores::Due{*n.deliver_at, stores::DueReason::scheduled, {}};
  draft.waits_until = n.deliver_at;
}

/// It should be in the queue by now; a caller who asks again may be told OK for ever while it is
/// not.
bool Accept::is_overdue(const stores::Appended& repeat) const {
  return repeat.status == rules::Status::pending &&
         repeat.id.uuid().instant() + stores::kRecoverAfter < clock_.now();
}

std::optional<base::Error> Accept::refusal_of_all() {
  if (parts_.clock_is_right && !parts_.clock_is_right()) {
    return base::Error{
        base::Errc::unavailable,
        "this node's clock is more than two seconds from the database's: ask another "
        "node; set the clock"};
  }
  return queue_is_away_too_long();
}

std::optional<base::Error> Accept::queue_is_away_too_long() {
  const auto waiting = [this] { return on_their_way_ + unqueued_.count(); };
  if (waiting() < parts_.unqueued_max) return std::nullopt;
  if (const auto until = parts_.swept_until()) unqueued_.swept_until(*until);
  if (waiting() < parts_.unqueued_max) return std::nullopt;
  return base::Error{base::Errc::overloaded, "the queue is away, and " + std::to_string(waiting()) +
                                                 " notifications wait for it; come back later"};
}

async::Task<void> Accept::enqueue(std::vector<stores::QueueItem> items) {
  std::vector<base::WallTime> created_at;
  created_at.reserve(items.size());
  for (const stores::QueueItem& item : items) {
    created_at.push_back(item.notification.created_at());
  }
  on_their_way_ += created_at.size();
  const auto queued = co_await parts_.queue.enqueue(std::move(items));
  on_their_way_ -= created_at.size();
  std::size_t failed = 0;
  for (std::size_t i = 0; i < queued.size(); ++i) {
    if (queued[i]) continue;
    ++failed;
    unqueued_.add(created_at[i]);
  }
  if (failed > 0) parts_.events.not_queued(failed);
  if (failed < queued.size()) parts_.wake_deliver();
}

}  // namespace notify::flows
