#include "edges/cli/explain.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "edges/cli/times.hpp"

namespace notify::edges {
namespace {

struct Event {
  base::WallTime at;
  std::string what;
};

std::string accepted_text(const rules::Notification& n) {
  std::string text =
      "accepted: type \"" + n.type + "\", priority " + std::string(rules::name(n.priority));
  if (n.presentation.background) text += ", background";
  if (n.conversation) text += ", conversation " + n.conversation->to_string();
  if (!n.presentation.collapse_id.empty()) text += ", with a collapse id";
  if (n.template_used) {
    text += ", by template " + n.template_used->name + ", revision " +
            std::to_string(n.template_used->revision);
    if (!n.template_used->locale.empty()) text += ", in " + n.template_used->locale;
  }
  for (const rules::Retracted& one : n.presentation.retracts) {
    text += ", retracts " + one.id.to_string();
  }
  if (n.deliver_at) text += ", scheduled for " + base::to_rfc3339(*n.deliver_at);
  text += "; worth delivering until " + base::to_rfc3339(n.expires_at);
  return text;
}

std::string attempt_text(const rules::Attempt& a) {
  std::string text =
      "try " + std::to_string(a.retry_count + 1) + ", device " + a.device.to_string();
  if (!a.provider.empty()) text += ", " + a.provider;
  text += ": ";
  switch (a.status) {
    case rules::AttemptStatus::delivered: text += "the provider accepted it"; break;
    case rules::AttemptStatus::token_gone:
      text += "the token is dead, and auth-service is told; not tried again";
      break;
    case rules::AttemptStatus::failed:
      text += a.provider.empty() ? "nothing is sent to it" : "refused for good";
      break;
    case rules::AttemptStatus::retry:
      text += a.provider.empty() ? "nothing was sent to it now" : "refused for now";
      break;
    case rules::AttemptStatus::unknown: text += "no answer, it may have been delivered"; break;
  }
  if (!a.error_code.empty()) text += " (" + a.error_code;
  if (!a.error_message.empty()) text += ": " + a.error_message;
  if (!a.error_code.empty()) text += ")";
  if (a.next_retry_at) {
    text += "; again in " + duration_text(*a.next_retry_at - a.attempted_at) + ", at " +
            base::to_rfc3339(*a.next_retry_at);
  }
  return text;
}

/// What one that is deferred waits for.
std::string_view awaited(const stores::Story& story) {
  if (story.due && story.due->reason == stores::DueReason::scheduled) {
    return "the time it was scheduled for";
  }
  if (story.record.decisions.is_by(rules::Rule::burst)) return "the end of a burst";
  const bool is_over_first = story.due && story.due->at >= story.record.notification.expires_at;
  return is_over_first ? "its expiry, which comes before the end of the user's quiet hours"
                       : "the end of the user's quiet hours";
}

std::string due_text(const stores::Story& story, base::WallTime now) {
  const stores::Due& due = *story.due;
  std::string text = "waiting: ";
  switch (due.reason) {
    case stores::DueReason::retry: text += "the next try"; break;
    case stores::DueReason::deferred:
    case stores::DueReason::scheduled: text += awaited(story); break;
    case stores::DueReason::devices_unavailable:
      text += "auth-service did not say which devices the user has";
      break;
    case stores::DueReason::replay: text += "the replay that an operator ordered"; break;
  }
  if (!due.detail.empty()) text += " (" + due.detail + ")";
  text += "; due at " + base::to_rfc3339(due.at);
  if (due.at < now) text += ", " + duration_text(now - due.at) + " ago";
  return text;
}

/// Why it stands where it stands, in one sentence.
std::string conclusion(const stores::Story& story, base::WallTime now) {
  const rules::Status status = story.record.status;
  switch (status) {
    case rules::Status::pending:
      if (story.due) return "not delivered yet: it waits for its next try";
      if (now >= story.record.notification.expires_at) {
        return "not delivered: its time is over, which the next look at it will record";
      }
      return "not delivered yet: it is in the queue";
    case rules::Status::delivered:
      return "a provider accepted it for at least one device" +
             std::string(story.due                   ? "; another device is still being tried"
                         : story.record.cancelled_at ? "; it was cancelled for the others"
                                                     : "");
    case rules::Status::failed:
      if (story.due) return "no device was left to try, but it was replayed and is tried anew";
      if (story.attempts.empty()) return "the user had no device to deliver it to";
      return "no device was left to try";
    case rules::Status::expired: return "its time was over before a provider accepted it";
    case rules::Status::sent: return "handed to a provider that never answered";
    case rules::Status::deferred: return "it waits for " + std::string(awaited(story));
    case rules::Status::opened: return "it was opened on a device";
    case rules::Status::suppressed: return "the user's settings do not want it";
    case rules::Status::cancelled: return "it was withdrawn by a caller";
    case rules::Status::superseded:
      if (story.record.notification.is_retraction()) {
        return "no device had what it retracts, or each shows a newer one in its place";
      }
      if (const auto& last = story.record.decisions.last(); last && last->is_grouped) {
        return "a newer one of its conversation stands for it";
      }
      return "a newer one with the same collapse id replaced it";
  }
  return "";
}

/// The rule that decided, and what it found; the others follow on lines of their own.
std::string decision_text(const rules::Notification& n, const rules::RecordedDecision& decision) {
  std::string text = "decided: " + std::string(rules::name(decision.verdict));
  if (decision.until) text += " until " + base::to_rfc3339(*decision.until);
  if (decision.by_defaults) return text + ", by the defaults: the user has set nothing";
  text += decision.by.empty() ? ", no rule objects" : ", by " + decision.by;
  for (const auto& reason : rules::all_reasons(n, decision)) {
    text += "\n" + std::string(35, ' ') + reason.rule + " " + reason.result + ": " + reason.input;
  }
  return text;
}

std::string retraction_text(const rules::RetractionMark& mark) {
  std::string text = "retracted by a caller";
  if (!mark.caller.empty()) text += ", " + mark.caller;
  return text + (mark.by ? ": notification " + mark.by->to_string() + " tells the devices"
                         : ": no device had it to remove");
}

void add_decisions(const stores::HistoryRecord& record, std::vector<Event>& events) {
  for (const auto& decision : {record.decisions.first, record.decisions.later}) {
    if (!decision) continue;
    events.push_back({decision->at.value_or(record.notification.created_at()),
                      decision_text(record.notification, *decision)});
  }
}

}  // namespace

std::string summary(const stores::HistoryRecord& record) {
  const rules::Notification& n = record.notification;
  const auto& decision = record.decisions.later ? record.decisions.later : record.decisions.first;
  std::string text = base::to_rfc3339(n.created_at()) + "  " + n.id.to_string() + "  " +
                     std::string(rules::name(record.status)) + "  " + n.type;
  if (decision && !decision->by.empty()) {
    text += "  (" + std::string(rules::name(decision->verdict)) + ", by " + decision->by + ")";
  }
  return text;
}

std::string explain(const stores::Story& story, base::WallTime now) {
  const stores::HistoryRecord& record = story.record;
  const rules::Notification& n = record.notification;
  std::vector<Event> events;
  events.push_back({n.created_at(), accepted_text(n)});
  add_decisions(record, events);
  for (const rules::Attempt& attempt : story.attempts) {
    events.push_back({attempt.attempted_at, attempt_text(attempt)});
  }
  for (const stores::Replay& replay : story.replays) {
    events.push_back({replay.at, "replayed by job " + replay.job.to_string() +
                                     ": every device that did not accept it is tried anew"});
  }
  if (record.cancelled_at) events.push_back({*record.cancelled_at, "cancelled by a caller"});
  if (record.retracted) {
    events.push_back({record.retracted->at, retraction_text(*record.retracted)});
  }
  if (record.opened_at) events.push_back({*record.opened_at, "opened on a device"});
  if (record.expired_at) events.push_back({*record.expired_at, "expired"});
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.at < b.at; });

  std::string text = "notification " + n.id.to_string() + " for user " + n.user.to_string() + "\n";
  for (const Event& event : events) {
    text += "  " + base::to_rfc3339(event.at) + "  +" + duration_text(event.at - n.created_at());
    text += "  " + event.what + "\n";
  }
  if (story.due) text += "  " + due_text(story, now) + "\n";
  std::string status(rules::name(record.status));
  text += "  => " + status + ": " + conclusion(story, now) + "\n";
  return text;
}

}  // namespace notify::edges
