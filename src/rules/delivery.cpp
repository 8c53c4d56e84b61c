#include "rules/delivery.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "rules/push_service.hpp"

namespace notify::rules {
namespace {

/// The latest attempt at a device, or null.
const Attempt* latest(const Progress& progress, base::DeviceId device) {
  const Attempt* found = nullptr;
  for (const Attempt& attempt : progress.attempts) {
    if (attempt.device != device) continue;
    if (found == nullptr || attempt.retry_count > found->retry_count) found = &attempt;
  }
  return found;
}

/// A word that a replay has taken back.
bool is_forgiven(const Attempt& attempt, const Progress& progress) {
  return progress.replayed_at && attempt.attempted_at < *progress.replayed_at &&
         attempt.status != AttemptStatus::delivered;
}

/// How many tries of a device a replay has made uncounted.
std::int32_t count_forgiven(const Progress& progress, base::DeviceId device) {
  std::int32_t tries = 0;
  for (const Attempt& attempt : progress.attempts) {
    if (attempt.device == device && is_forgiven(attempt, progress)) {
      tries = std::max(tries, attempt.retry_count + 1);
    }
  }
  return tries;
}

void keep_earliest(std::optional<base::WallTime>& earliest, base::WallTime candidate) {
  if (!earliest || candidate < *earliest) earliest = candidate;
}

AttemptStatus final_status(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::accepted: return AttemptStatus::delivered;
    case OutcomeKind::token_gone: return AttemptStatus::token_gone;
    default: return AttemptStatus::failed;
  }
}

bool may_retry(OutcomeKind kind) {
  return kind == OutcomeKind::retry_later || kind == OutcomeKind::bad_credentials ||
         kind == OutcomeKind::unknown;
}

/// Whichever try it was: a later one may have been made by who did not know of it.
bool has_accepted(const Progress& progress, base::DeviceId device) {
  return std::any_of(progress.attempts.begin(), progress.attempts.end(), [&](const Attempt& a) {
    return a.device == device && a.status == AttemptStatus::delivered;
  });
}

/// Each device once, by its newest registration.
std::vector<const Device*> each_once(const std::vector<Device>& devices) {
  std::vector<const Device*> once;
  for (const Device& device : devices) {
    const auto same = std::find_if(once.begin(), once.end(),
                                   [&](const Device* other) { return other->id == device.id; });
    if (same == once.end()) {
      once.push_back(&device);
    } else if (device.registered_at > (*same)->registered_at) {
      *same = &device;
    }
  }
  return once;
}

Outcome left_for_good(LeftOut why, std::string message) {
  return {.kind = OutcomeKind::rejected,
          .code = std::string(name(why)),
          .message = std::move(message),
          .was_asked = false};
}

/// Tokens of Apple are hexadecimal, in either case.
bool is_same_token(const Device& a, const Device& b) {
  const std::string_view one = a.token.reveal();
  const std::string_view other = b.token.reveal();
  const auto folded = [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c; };
  return a.platform == b.platform &&
         (one == other || (a.platform == Platform::ios &&
                           std::equal(one.begin(), one.end(), other.begin(), other.end(),
                                      [&](char x, char y) { return folded(x) == folded(y); })));
}

/// Which of those with one token gets it: the greatest.
auto claim_of(const Device& device, const Progress& progress) {
  const Attempt* last = latest(progress, device.id);
  const bool is_tried = last != nullptr && !is_final(last->status);
  const int stage = has_accepted(progress, device.id) ? 2 : is_tried ? 1 : 0;
  return std::tuple(stage, device.registered_at, device.id);
}

}  // namespace

bool is_finished(const Progress& progress) {
  if (progress.is_cancelled) return true;
  if (!is_final(progress.status) || progress.status == Status::delivered) return false;
  return progress.status != Status::failed || !progress.replayed_at;
}

Targets choose_targets(const std::vector<Device>& devices, const Progress& progress,
                       base::WallTime now) {
  Targets targets;
  for (const Device* each : each_once(devices)) {
    const Device& device = *each;
    if (has_accepted(progress, device.id)) continue;
    const Attempt* last = latest(progress, device.id);
    if (last == nullptr) {
      targets.due.push_back({.device = device, .replayed_at = progress.replayed_at});
      continue;
    }
    const Target next{device, last->retry_count + 1, count_forgiven(progress, device.id),
                      progress.replayed_at};
    if (is_forgiven(*last, progress)) {
      targets.due.push_back(next);
      continue;
    }
    const bool over = is_final(last->status) || !last->next_retry_at;
    if (over) continue;
    if (*last->next_retry_at > now) {
      keep_earliest(targets.next_due, *last->next_retry_at);
    } else {
      targets.due.push_back(next);
    }
  }
  return targets;
}

std::string_view name(LeftOut why) {
  switch (why) {
    case LeftOut::not_understood: return "not understood";
    case LeftOut::no_provider: return "no provider";
    case LeftOut::no_token: return "no token";
    case LeftOut::other_environment: return "other environment";
    case LeftOut::unusable_token: return "unusable token";
    case LeftOut::same_token: return "same token";
    case LeftOut::rate_limit: return "rate limit";
    case LeftOut::no_answer: return "no answer";
    case LeftOut::not_asked: return "not asked";
  }
  return "";
}

std::optional<Flaw> flaw_of(const Device& device) {
  using enum LeftOut;
  if (device.id.uuid() == base::Uuid()) {
    return Flaw{not_understood, "auth-service named a device without a valid id"};
  }
  if (device.platform == Platform::unknown) {
    return Flaw{not_understood, "auth-service named no platform that this version knows"};
  }
  if (device.token.empty()) return Flaw{no_token, "auth-service named no token"};
  return std::nullopt;
}

std::vector<Untried> leave_out(std::vector<Target>& due, const std::vector<Device>& devices,
                               const Progress& progress,
                               const std::function<std::optional<Flaw>(const Device&)>& flaw_of) {
  std::vector<Untried> untried;
  const auto is_left_out = [&](const Target& target) {
    if (auto flaw = flaw_of(target.device)) {
      untried.push_back({target, flaw->why, left_for_good(flaw->why, flaw->message)});
      return true;
    }
    const auto claim = claim_of(target.device, progress);
    const auto better = std::find_if(devices.begin(), devices.end(), [&](const Device& other) {
      return other.id != target.device.id && is_same_token(other, target.device) &&
             !flaw_of(other) && claim_of(other, progress) > claim;
    });
    if (better == devices.end()) return false;
    untried.push_back({target, LeftOut::same_token,
                       left_for_good(LeftOut::same_token,
                                     "device " + better->id.to_string() + " has the same token")});
    return true;
  };
  std::erase_if(due, is_left_out);
  return untried;
}

Outcome left_for_later(LeftOut why, std::string message,
                       std::optional<std::chrono::seconds> retry_after) {
  return {.kind = OutcomeKind::retry_later,
          .code = std::string(name(why)),
          .message = std::move(message),
          .retry_after = retry_after,
          .was_asked = false};
}

Attempt conclude(const Notification& notification, const Target& target, const Outcome& outcome,
                 const RetryPolicy& policy, base::WallTime now, base::Rng& rng) {
  Attempt attempt;
  attempt.id = attempt_id(notification.id, target.device.id, target.retry_count);
  attempt.device = target.device.id;
  attempt.error_code = outcome.code;
  attempt.error_message = outcome.message;
  attempt.retry_count = target.retry_count;
  attempt.attempted_at = now;
  if (const auto* service = push_service_of(target.device); outcome.was_asked && service) {
    attempt.provider = service->name;
  }
  if (!may_retry(outcome.kind)) {
    attempt.status = final_status(outcome.kind);
    return attempt;
  }
  attempt.next_retry_at =
      plan_retry(policy,
                 {.retries_made = target.retry_count - target.forgiven,
                  .now = now,
                  .begun_at = target.replayed_at.value_or(notification.begins_at()),
                  .expires_at = notification.expires_at,
                  .retry_after = outcome.retry_after,
                  .retry_min = outcome.retry_min},
                 rng);
  if (outcome.kind == OutcomeKind::unknown) {
    attempt.status = AttemptStatus::unknown;
  } else {
    attempt.status = attempt.next_retry_at ? AttemptStatus::retry : AttemptStatus::failed;
  }
  return attempt;
}

RollUp roll_up(const Progress& before, const std::vector<Attempt>& now_made,
               std::optional<base::WallTime> next_due) {
  RollUp result;
  result.retry_at = next_due;
  bool delivered = before.status == Status::delivered || before.status == Status::opened;
  bool handed_over = false;
  for (const Attempt& attempt : now_made) {
    if (attempt.status == AttemptStatus::delivered) delivered = true;
    if (attempt.status == AttemptStatus::unknown && !attempt.next_retry_at) handed_over = true;
    if (attempt.next_retry_at) keep_earliest(result.retry_at, *attempt.next_retry_at);
  }
  for (const Attempt& attempt : before.attempts) {
    if (attempt.status == AttemptStatus::delivered) delivered = true;
    if (is_forgiven(attempt, before)) continue;
    const bool last_word = latest(before, attempt.device) == &attempt;
    const bool tried_now = std::any_of(now_made.begin(), now_made.end(), [&](const Attempt& made) {
      return made.device == attempt.device;
    });
    if (attempt.status == AttemptStatus::unknown && last_word && !tried_now) handed_over = true;
  }
  if (delivered) {
    result.status = Status::delivered;
  } else if (!result.retry_at && !before.replayed_at) {
    // Out of tries. If the last word of a provider was silence, it may have taken it: `sent`.
    result.status = handed_over ? Status::sent : Status::failed;
  }
  if (result.status == before.status) result.status.reset();
  return result;
}

std::string_view name(CancelResult result) {
  switch (result) {
    case CancelResult::cancelled: return "cancelled";
    case CancelResult::too_late: return "too_late";
    case CancelResult::partly_sent: return "partly_sent";
  }
  return "";
}

bool may_have_come(const Attempt& attempt) {
  return attempt.status == AttemptStatus::delivered || attempt.status == AttemptStatus::unknown;
}

CancelResult cancel_result(const std::vector<Attempt>& attempts) {
  if (std::none_of(attempts.begin(), attempts.end(), may_have_come)) return CancelResult::cancelled;
  Progress progress;
  progress.attempts = attempts;
  const bool something_was_left = std::any_of(
      progress.attempts.begin(), progress.attempts.end(), [&progress](const Attempt& a) {
        const bool last_word = latest(progress, a.device) == &a;
        return last_word && a.next_retry_at && !has_accepted(progress, a.device);
      });
  return something_was_left ? CancelResult::partly_sent : CancelResult::too_late;
}

}  // namespace notify::rules
