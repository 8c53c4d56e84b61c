#pragma once
// The settings in PostgreSQL.

#include "storage/pg/pool.hpp"
#include "stores/settings.hpp"

namespace notify::stores {

/// Threading: the pool's executor.
/// Lifetime:  `pool` outlives this.
class PgSettings final : public SettingsSource, public SettingsRows {
 public:
  explicit PgSettings(pg::Pool& pool) : pool_(pool) {}

  [[nodiscard]] async::Task<base::Expected<LoadedSettings>> load(std::vector<base::UserId> users,
                                                                 base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<SettingsChanges>> changed_since(
      base::WallTime since, std::int32_t limit, base::Deadline deadline) override;

  [[nodiscard]] async::Task<base::Expected<UserRow>> user(base::UserId user,
                                                          base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<UserRow>> put_user(base::UserId user,
                                                              rules::UserColumns columns,
                                                              base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<ConversationRow>> conversation(
      base::UserId user, base::ConversationId conversation, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<ConversationRow>> put_conversation(
      base::UserId user, ConversationRow row, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<ConversationRow>>> conversations(
      base::UserId user, std::optional<base::ConversationId> after, std::int32_t limit,
      base::Deadline deadline) override;

 private:
  pg::Pool& pool_;
};

}  // namespace notify::stores
