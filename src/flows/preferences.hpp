#pragma once
// preferences: what a user wants, read and changed for services and for the user, with an audit of
// both. Settings are changed as a whole row: read, edited, written if nobody was faster.

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/async/timers.hpp"
#include "base/uuid.hpp"
#include "flows/refusal.hpp"
#include "stores/audit.hpp"
#include "stores/ledger.hpp"
#include "stores/local_limits.hpp"
#include "stores/settings.hpp"

namespace notify::flows {

/// Who asks about whom.
struct PreferenceCall {
  base::UserId user;
  std::string actor;  ///< for the audit
  base::Deadline deadline;
};

/// Threading: one executor.
/// Lifetime:  all it is given outlives it, and it outlives its calls.
class Preferences {
 public:
  struct Parts {
    stores::SettingsRows& rows;
    stores::Ledger& ledger;
    stores::Audit& audit;
    base::UuidV7Generator& ids;
    const base::Clock& clock;
    std::function<void(std::string_view step, const base::Error&)> step_failed;
  };
  /// Edits the columns, or says what is wrong with the edit.
  using EditUser = std::function<rules::Violations(rules::UserColumns&)>;
  using EditConversation = std::function<rules::Violations(rules::ConversationColumns&)>;

  explicit Preferences(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] async::Task<Answer<stores::UserRow>> user(PreferenceCall call);
  /// `revision`: the one that the caller has seen; 0: whatever there is. An edit that changes no
  /// value writes nothing and leaves no trace. `edit` may be called several times.
  /// Errors: invalid with violations; conflict: the settings have another revision than the one
  /// that
  ///         was named; overloaded: the quiet hours were changed ten times within a minute.
  [[nodiscard]] async::Task<Answer<stores::UserRow>> change_user(PreferenceCall call,
                                                                 std::int32_t revision,
                                                                 EditUser edit);

  [[nodiscard]] async::Task<Answer<stores::ConversationRow>> conversation(
      PreferenceCall call, base::ConversationId conversation);
  [[nodiscard]] async::Task<Answer<stores::ConversationRow>> change_conversation(
      PreferenceCall call, base::ConversationId conversation, std::int32_t revision,
      EditConversation edit);
  [[nodiscard]] async::Task<Answer<std::vector<stores::ConversationRow>>> conversations(
      PreferenceCall call, std::optional<base::ConversationId> after, std::int32_t limit);

 private:
  [[nodiscard]] std::optional<base::Error> reason_to_end(const base::Error& error,
                                                         std::int32_t revision,
                                                         base::Deadline deadline) const;
  [[nodiscard]] std::optional<Refusal> refuse_further_hours(base::UserId user);
  [[nodiscard]] std::chrono::milliseconds steady_now() const;
  async::Task<void> release_deferred(const PreferenceCall& call);
  async::Task<base::Expected<void>> note(const PreferenceCall& call, const char* action,
                                         std::string detail);

  Parts parts_;
  stores::LocalLimits hours_changed_;
};

}  // namespace notify::flows
