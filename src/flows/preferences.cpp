#include "flows/preferences.hpp"

#include <utility>

#include "base/json_object.hpp"

namespace notify::flows {
namespace {

using base::Errc;
using stores::ConversationRow;
using stores::UserRow;

/// Workers look for changes four times a second (stores::SettingsCache), and clocks may differ by
/// two (decision D-5).
constexpr std::chrono::seconds kKnownWithin{4};

/// Each change of quiet hours has all that waits for their end decided about anew.
constexpr std::int64_t kHoursChangesMax = 10;

stores::LimitClaim hours_counter(base::UserId user) {
  return {{user.to_string(), kHoursChangesMax, std::chrono::minutes(1), 0}};
}

base::Error other_revision(std::int32_t there) {
  return {Errc::conflict,
          "the settings have revision " + std::to_string(there) + " by now: read them again"};
}

/// Whether decisions may differ: then what waits is decided about anew.
bool quiet_hours_differ(const rules::UserColumns& one, const rules::UserColumns& other) {
  if (one.quiet_hours == other.quiet_hours) return false;
  const rules::UserSettings before = rules::to_settings(one);
  const rules::UserSettings after = rules::to_settings(other);
  return before.quiet_hours != after.quiet_hours ||
         before.quiet_hours_unreadable != after.quiet_hours_unreadable;
}

std::string revision_detail(std::int32_t revision) {
  base::JsonObject detail;
  detail.number("revision", revision);
  return std::move(detail).finish();
}

std::string conversation_detail(base::ConversationId conversation, std::int32_t revision) {
  base::JsonObject detail;
  detail.text("conversation", conversation.to_string()).number("revision", revision);
  return std::move(detail).finish();
}

}  // namespace

std::optional<Refusal> Preferences::refuse_further_hours(base::UserId user) {
  const auto counted = hours_changed_.look(hours_counter(user), steady_now()).front();
  if (counted.counted < kHoursChangesMax) return std::nullopt;
  Refusal refusal;
  refusal.error = {Errc::overloaded, "quiet hours can be changed ten times a minute"};
  refusal.retry_after = counted.resets_in;
  return refusal;
}

std::chrono::milliseconds Preferences::steady_now() const {
  return std::chrono::floor<std::chrono::milliseconds>(
      parts_.clock.steady_now().time_since_epoch());
}

/// A change that names no revision is made on whatever there is: when another change was faster, it
/// is made on top of that. Each conflict is some other change that was made, so of n changes at
/// once the last one is made in the n-th round. Limits: the call's deadline.
std::optional<base::Error> Preferences::reason_to_end(const base::Error& error,
                                                      std::int32_t revision,
                                                      base::Deadline deadline) const {
  if (error.code != Errc::conflict || revision != 0) return error;
  if (!deadline.passed(parts_.clock.steady_now())) return std::nullopt;
  return base::Error{Errc::timed_out, "other changes of these settings were always faster"};
}

async::Task<Answer<UserRow>> Preferences::user(PreferenceCall call) {
  auto row = co_await parts_.rows.user(call.user, call.deadline);
  if (!row) co_return refuse(std::move(row).error());
  const auto noted = co_await note(call, "settings.read", revision_detail(row->columns.revision));
  if (!noted) co_return refuse(noted.error());
  co_return std::move(*row);
}

async::Task<Answer<UserRow>> Preferences::change_user(PreferenceCall call, std::int32_t revision,
                                                      EditUser edit) {
  for (;;) {
    auto row = co_await parts_.rows.user(call.user, call.deadline);
    if (!row) co_return refuse(std::move(row).error());
    const std::int32_t there = row->columns.revision;
    if (revision != 0 && revision != there) co_return refuse(other_revision(there));
    rules::UserColumns columns = row->columns;
    if (auto violations = edit(columns); !violations.empty()) {
      co_return refuse(std::move(violations));
    }
    if (columns == row->columns) co_return std::move(*row);
    const bool quiet_hours_changed = quiet_hours_differ(columns, row->columns);
    if (quiet_hours_changed) {
      if (auto refusal = refuse_further_hours(call.user)) co_return base::Unexpected(*refusal);
    }
    auto written = co_await parts_.rows.put_user(call.user, std::move(columns), call.deadline);
    if (written) {
      if (quiet_hours_changed) {
        static_cast<void>(hours_changed_.take(hours_counter(call.user), steady_now()));
        co_await release_deferred(call);
      }
      const auto noted =
          co_await note(call, "settings.change", revision_detail(written->columns.revision));
      if (!noted) co_return refuse(noted.error());
      co_return std::move(*written);
    }
    if (auto why_not = reason_to_end(written.error(), revision, call.deadline)) {
      co_return refuse(std::move(*why_not));
    }
  }
}

async::Task<Answer<ConversationRow>> Preferences::conversation(PreferenceCall call,
                                                               base::ConversationId conversation) {
  auto row = co_await parts_.rows.conversation(call.user, conversation, call.deadline);
  if (!row) co_return refuse(std::move(row).error());
  const auto noted = co_await note(call, "settings.read",
                                   conversation_detail(conversation, row->columns.revision));
  if (!noted) co_return refuse(noted.error());
  co_return std::move(*row);
}

async::Task<Answer<ConversationRow>> Preferences::change_conversation(
    PreferenceCall call, base::ConversationId conversation, std::int32_t revision,
    EditConversation edit) {
  for (;;) {
    auto row = co_await parts_.rows.conversation(call.user, conversation, call.deadline);
    if (!row) co_return refuse(std::move(row).error());
    const std::int32_t there = row->columns.revision;
    if (revision != 0 && revision != there) co_return refuse(other_revision(there));
    ConversationRow edited = *row;
    if (auto violations = edit(edited.columns); !violations.empty()) {
      co_return refuse(std::move(violations));
    }
    if (edited.columns == row->columns) co_return std::move(*row);
    auto written =
        co_await parts_.rows.put_conversation(call.user, std::move(edited), call.deadline);
    if (written) {
      const auto noted = co_await note(
          call, "settings.change", conversation_detail(conversation, written->columns.revision));
      if (!noted) co_return refuse(noted.error());
      co_return std::move(*written);
    }
    if (auto why_not = reason_to_end(written.error(), revision, call.deadline)) {
      co_return refuse(std::move(*why_not));
    }
  }
}

async::Task<Answer<std::vector<ConversationRow>>> Preferences::conversations(
    PreferenceCall call, std::optional<base::ConversationId> after, std::int32_t limit) {
  auto rows = co_await parts_.rows.conversations(call.user, after, limit, call.deadline);
  if (!rows) co_return refuse(std::move(rows).error());
  const auto noted = co_await note(call, "settings.list", "{}");
  if (!noted) co_return refuse(noted.error());
  co_return std::move(*rows);
}

/// It is decided about anew, when every worker knows of the change: one that does not yet would
/// defer it to the end of the old hours. If this fails, that is when it is decided about.
async::Task<void> Preferences::release_deferred(const PreferenceCall& call) {
  const base::WallTime at = parts_.clock.now() + kKnownWithin;
  const auto released = co_await parts_.ledger.release_deferred(call.user, at, call.deadline);
  if (!released) parts_.step_failed("release_deferred", released.error());
}

async::Task<base::Expected<void>> Preferences::note(const PreferenceCall& call, const char* action,
                                                    std::string detail) {
  return parts_.audit.append({.id = parts_.ids.next(),
                              .actor = call.actor,
                              .action = action,
                              .subject_type = "user",
                              .subject_id = call.user.to_string(),
                              .detail = std::move(detail)},
                             call.deadline);
}

}  // namespace notify::flows
