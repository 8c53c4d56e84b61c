#pragma once
// Settings in memory: what users have set, read by nodes over their links. It keeps the contract of
// tests/contract.

#include <algorithm>
#include <map>

#include "fakes/fake_link.hpp"
#include "stores/shared_settings.hpp"

namespace notify::fakes {

/// What is committed.
struct FakeSettingsTable {
  struct Rows {
    stores::UserRow user;
    std::map<base::ConversationId, stores::ConversationRow> conversations;
  };
  std::map<base::UserId, Rows> users;
  std::vector<stores::SettingsChange> changes;  ///< the newest of each row
  const base::Clock* clock = nullptr;           ///< the database's

  void put(base::UserId user, rules::UserColumns columns) {
    Rows& rows = users[user];
    columns.revision = rows.user.columns.revision + 1;
    rows.user = {std::move(columns), now()};
    note(user, row_id(user, {}), rows.user.columns.revision);
  }
  void put(base::UserId user, base::ConversationId conversation,
           rules::ConversationColumns columns) {
    stores::ConversationRow& row = users[user].conversations[conversation];
    columns.revision = row.columns.revision + 1;
    row = {conversation, std::move(columns), now()};
    note(user, row_id(user, conversation), row.columns.revision);
  }

 private:
  [[nodiscard]] base::WallTime now() const { return clock->now(); }
  /// Some id that only this row has.
  static base::Uuid row_id(base::UserId user, base::ConversationId conversation) {
    base::Uuid::Bytes bytes = user.uuid().bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ conversation.uuid().bytes()[i]);
    }
    return base::Uuid(bytes);
  }
  void note(base::UserId user, base::Uuid row, std::int32_t revision) {
    std::erase_if(changes, [row](const auto& change) { return change.row == row; });
    changes.push_back({user, row, revision, now()});
  }
};

/// Lifetime: `table` and `link` outlive this.
class FakeSettings final : public stores::SettingsSource, public stores::SettingsRows {
 public:
  FakeFault fault;
  std::size_t users_loaded = 0;

  FakeSettings(FakeSettingsTable& table, FakeLink& link) : table_(table), link_(link) {}

  [[nodiscard]] async::Task<base::Expected<stores::LoadedSettings>> load(
      std::vector<base::UserId> users, base::Deadline) override {
    return link_.travel(fault, [this, users = std::move(users)] {
      stores::LoadedSettings loaded{{}, table_.clock->now()};
      for (const base::UserId user : users) loaded.settings.push_back(settings_of(user));
      users_loaded += users.size();
      return base::Expected<stores::LoadedSettings>(std::move(loaded));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::SettingsChanges>> changed_since(
      base::WallTime since, std::int32_t limit, base::Deadline) override {
    return link_.travel(fault, [this, since, limit] {
      stores::SettingsChanges found;
      found.now = table_.clock->now();
      found.complete_since = since;
      std::vector<stores::SettingsChange> newest = table_.changes;
      std::stable_sort(newest.begin(), newest.end(),
                       [](const auto& a, const auto& b) { return a.at > b.at; });
      for (const stores::SettingsChange& change : newest) {
        if (change.at < since) break;
        if (found.changes.size() == static_cast<std::size_t>(limit)) {
          found.complete_since = found.changes.back().at + std::chrono::milliseconds(1);
          break;
        }
        found.changes.push_back(change);
      }
      return base::Expected<stores::SettingsChanges>(std::move(found));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::UserRow>> user(base::UserId user,
                                                                  base::Deadline) override {
    return link_.travel(fault, [this, user] {
      const auto found = table_.users.find(user);
      return base::Expected<stores::UserRow>(found == table_.users.end() ? stores::UserRow()
                                                                         : found->second.user);
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::UserRow>> put_user(base::UserId user,
                                                                      rules::UserColumns columns,
                                                                      base::Deadline) override {
    return link_.travel(
        fault, [this, user, columns = std::move(columns)]() -> base::Expected<stores::UserRow> {
          if (table_.users[user].user.columns.revision != columns.revision) return changed();
          table_.put(user, columns);
          return table_.users[user].user;
        });
  }

  [[nodiscard]] async::Task<base::Expected<stores::ConversationRow>> conversation(
      base::UserId user, base::ConversationId conversation, base::Deadline) override {
    return link_.travel(fault, [this, user, conversation] {
      return base::Expected<stores::ConversationRow>(row_of(user, conversation));
    });
  }

  [[nodiscard]] async::Task<base::Expected<stores::ConversationRow>> put_conversation(
      base::UserId user, stores::ConversationRow row, base::Deadline) override {
    return link_.travel(
        fault, [this, user, row = std::move(row)]() -> base::Expected<stores::ConversationRow> {
          if (row_of(user, row.conversation).columns.revision != row.columns.revision) {
            return changed();
          }
          table_.put(user, row.conversation, row.columns);
          return row_of(user, row.conversation);
        });
  }

  [[nodiscard]] async::Task<base::Expected<std::vector<stores::ConversationRow>>> conversations(
      base::UserId user, std::optional<base::ConversationId> after, std::int32_t limit,
      base::Deadline) override {
    return link_.travel(fault, [this, user, after, limit] {
      std::vector<stores::ConversationRow> rows;
      for (const auto& [id, row] : table_.users[user].conversations) {
        const bool has_room = rows.size() < static_cast<std::size_t>(limit);
        if ((!after || id > *after) && has_room) rows.push_back(row);
      }
      return base::Expected<std::vector<stores::ConversationRow>>(std::move(rows));
    });
  }

 private:
  static base::Unexpected<base::Error> changed() {
    return base::fail(base::Errc::conflict, "the settings have changed since they were read");
  }
  [[nodiscard]] stores::ConversationRow row_of(base::UserId user,
                                               base::ConversationId conversation) {
    auto& rows = table_.users[user].conversations;
    const auto found = rows.find(conversation);
    return found == rows.end() ? stores::ConversationRow{conversation, {}, {}} : found->second;
  }
  [[nodiscard]] stores::SettingsPtr settings_of(base::UserId user) const {
    const auto found = table_.users.find(user);
    if (found == table_.users.end()) return stores::default_settings();
    auto settings = std::make_shared<stores::Settings>();
    settings->user = rules::to_settings(found->second.user.columns);
    for (const auto& [id, row] : found->second.conversations) {
      settings->conversations.emplace(id, rules::to_settings(row.columns));
    }
    return settings;
  }

  FakeSettingsTable& table_;
  FakeLink& link_;
};

/// What is shared, each with the time at which it is forgotten.
struct FakeSharedTable {
  struct Entry {
    stores::SharedSettings shared;
    base::WallTime until;
  };
  std::map<base::UserId, Entry> entries;
  const base::Clock* clock = nullptr;
};

/// Lifetime: `table` and `link` outlive this.
class FakeSettingsSharing final : public stores::SettingsSharing {
 public:
  static constexpr std::chrono::hours kTtl{1};
  FakeFault fault;

  FakeSettingsSharing(FakeSharedTable& table, FakeLink& link) : table_(table), link_(link) {}

  [[nodiscard]] async::Task<base::Expected<std::vector<std::optional<stores::SharedSettings>>>>
  find(std::vector<base::UserId> users, base::Deadline) override {
    return link_.travel(fault, [this, users = std::move(users)] {
      std::vector<std::optional<stores::SharedSettings>> found;
      for (const base::UserId user : users) {
        const auto entry = table_.entries.find(user);
        const bool is_there =
            entry != table_.entries.end() && table_.clock->now() < entry->second.until;
        found.push_back(is_there ? std::optional(entry->second.shared) : std::nullopt);
      }
      return base::Expected<std::vector<std::optional<stores::SharedSettings>>>(std::move(found));
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> put(std::vector<stores::SharedSettings> settings,
                                                      base::Deadline) override {
    return link_.travel(fault, [this, settings = std::move(settings)] {
      for (const stores::SharedSettings& one : settings) {
        const auto there = table_.entries.find(one.user);
        const bool is_older =
            there == table_.entries.end() || there->second.shared.loaded_at <= one.loaded_at;
        const FakeSharedTable::Entry entry{one, table_.clock->now() + kTtl};
        if (is_older) table_.entries.insert_or_assign(one.user, entry);
      }
      return base::Expected<void>();
    });
  }

  [[nodiscard]] async::Task<base::Expected<void>> forget(std::vector<base::UserId> users,
                                                         base::Deadline) override {
    return link_.travel(fault, [this, users = std::move(users)] {
      for (const base::UserId user : users) table_.entries.erase(user);
      return base::Expected<void>();
    });
  }

 private:
  FakeSharedTable& table_;
  FakeLink& link_;
};

}  // namespace notify::fakes
