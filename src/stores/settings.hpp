#pragma once
// What users want, in PostgreSQL (user_settings, conversation_settings): the side that decisions
// read, many users at once, and the side that people change.

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "base/strong_id.hpp"
#include "rules/settings_codec.hpp"

namespace notify::stores {

/// All that one user has set.
struct Settings {
  rules::UserSettings user;
  /// Those that differ from the default.
  std::unordered_map<base::ConversationId, rules::ConversationSettings> conversations;

  [[nodiscard]] const rules::ConversationSettings& of(
      const std::optional<base::ConversationId>& conversation) const;
};
/// Never null.
using SettingsPtr = std::shared_ptr<const Settings>;
/// Of everybody who has set nothing.
[[nodiscard]] const SettingsPtr& default_settings();

/// A row that was changed; revisions of a row only grow.
struct SettingsChange {
  base::UserId user;
  base::Uuid row;
  std::int32_t revision = 0;
  base::WallTime at;  ///< when its transaction began, by the database's clock
};

struct SettingsChanges {
  std::vector<SettingsChange> changes;
  base::WallTime now;  ///< the database's clock
  /// None is missing of the transactions that began then or later: `since`, or later if there were
  /// more than `limit`.
  base::WallTime complete_since;
};

struct LoadedSettings {
  std::vector<SettingsPtr> settings;  ///< one for each user, in order
  /// By the database's clock: all that was committed then is in them.
  base::WallTime at;
};

/// The side of the decisions.
/// Threading: one executor.
class SettingsSource {
 public:
  virtual ~SettingsSource() = default;

  /// default_settings() itself for who has set nothing.
  [[nodiscard]] virtual async::Task<base::Expected<LoadedSettings>> load(
      std::vector<base::UserId> users, base::Deadline deadline) = 0;

  /// What was changed by transactions that began at `since` or later, at most `limit` of each
  /// table.
  [[nodiscard]] virtual async::Task<base::Expected<SettingsChanges>> changed_since(
      base::WallTime since, std::int32_t limit, base::Deadline deadline) = 0;
};

struct UserRow {
  rules::UserColumns columns;  ///< revision 0: there is no row, these are the defaults
  std::optional<base::WallTime> updated_at;
};

struct ConversationRow {
  base::ConversationId conversation;
  rules::ConversationColumns columns;
  std::optional<base::WallTime> updated_at;
};

/// The side of the people.
/// Threading: one executor.
class SettingsRows {
 public:
  virtual ~SettingsRows() = default;

  [[nodiscard]] virtual async::Task<base::Expected<UserRow>> user(base::UserId user,
                                                                  base::Deadline deadline) = 0;
  /// Writes all columns, if the row's revision still is `columns.revision`; 0: if there is none.
  /// Returns the row as it is then. Errors: conflict: it is another one.
  [[nodiscard]] virtual async::Task<base::Expected<UserRow>> put_user(base::UserId user,
                                                                      rules::UserColumns columns,
                                                                      base::Deadline deadline) = 0;

  [[nodiscard]] virtual async::Task<base::Expected<ConversationRow>> conversation(
      base::UserId user, base::ConversationId conversation, base::Deadline deadline) = 0;
  /// As put_user(). Errors: also overloaded: the user has kConversationsMax of them.
  [[nodiscard]] virtual async::Task<base::Expected<ConversationRow>> put_conversation(
      base::UserId user, ConversationRow row, base::Deadline deadline) = 0;
  /// By id, those after `after`.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<ConversationRow>>> conversations(
      base::UserId user, std::optional<base::ConversationId> after, std::int32_t limit,
      base::Deadline deadline) = 0;
};

/// Rows of conversation_settings of one user: all of them are read at once.
inline constexpr std::int64_t kConversationsMax = 10'000;

}  // namespace notify::stores
