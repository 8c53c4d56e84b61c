#include "stores/pg_settings.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "stores/pg_rows.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;

#define NOTIFY_USER_SETTINGS_COLUMNS                                    \
  "revision, notifications_enabled, sound_enabled, vibration_enabled, " \
  "coalesce(notification_sound, 'default'), quiet_hours, preferences"
#define NOTIFY_CONVERSATION_SETTINGS_COLUMNS                                          \
  "revision, notifications_enabled, sound_enabled, notification_level, muted_until, " \
  "custom_settings"

/// By idx_user_settings_user_id. The first row tells the time also when there is none: that of the
/// transaction, which is before all that it sees.
constexpr pg::Statement kLoadUsers = {
    "settings_load_users", "SELECT n.now, user_id, " NOTIFY_USER_SETTINGS_COLUMNS
                           " FROM (SELECT transaction_timestamp() AT TIME ZONE 'UTC' AS now) n "
                           "LEFT JOIN user_settings ON user_id = ANY ($1::uuid[])"};

/// By idx_conversation_settings_user_id. $2: the most rows that all these users can have.
constexpr pg::Statement kLoadConversations = {
    "settings_load_conversations",
    "SELECT user_id, conversation_id, " NOTIFY_CONVERSATION_SETTINGS_COLUMNS
    " FROM conversation_settings WHERE user_id = ANY ($1::uuid[]) "
    "AND NOT (notifications_enabled AND sound_enabled AND notification_level = 'all' "
    "AND muted_until IS NULL AND custom_settings = '{}') LIMIT $2"};

/// By idx_user_settings_updated_at and idx_conversation_settings_updated_at, newest first. The
/// first row tells the time also when nothing was changed.
constexpr pg::Statement kChanged = {
    "settings_changed",
    "SELECT n.now, c.user_id, c.id, c.revision, c.updated_at, c.of_user "
    "FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS now) n LEFT JOIN (("
    "SELECT user_id, id, revision, updated_at, TRUE AS of_user FROM user_settings "
    "WHERE updated_at >= $1 ORDER BY updated_at DESC LIMIT $2) UNION ALL ("
    "SELECT user_id, id, revision, updated_at, FALSE FROM conversation_settings "
    "WHERE updated_at >= $1 ORDER BY updated_at DESC LIMIT $2)) c ON TRUE"};

/// By idx_user_settings_user_id.
constexpr pg::Statement kUser = {"settings_user", "SELECT " NOTIFY_USER_SETTINGS_COLUMNS
                                                  ", updated_at FROM user_settings "
                                                  "WHERE user_id = $1"};

/// $2, the revision, is returned only so that an insert takes the parameters of an update.
constexpr pg::Statement kInsertUser = {
    "settings_insert_user",
    "INSERT INTO user_settings (user_id, notifications_enabled, sound_enabled, "
    "vibration_enabled, notification_sound, quiet_hours, preferences) "
    "VALUES ($1, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_id) DO NOTHING "
    "RETURNING " NOTIFY_USER_SETTINGS_COLUMNS ", updated_at, $2::int"};

/// By idx_user_settings_user_id. A sound that is NULL is read as the default, and stays NULL if it
/// is not changed.
constexpr pg::Statement kUpdateUser = {
    "settings_update_user",
    "UPDATE user_settings SET notifications_enabled = $3, sound_enabled = $4, "
    "vibration_enabled = $5, notification_sound = CASE "
    "WHEN coalesce(notification_sound, 'default') = $6 THEN notification_sound ELSE $6 END, "
    "quiet_hours = $7, preferences = $8 "
    "WHERE user_id = $1 AND revision = $2 "
    "RETURNING " NOTIFY_USER_SETTINGS_COLUMNS ", updated_at"};

/// By the unique constraint on (user_id, conversation_id), as all that follow.
constexpr pg::Statement kConversation = {
    "settings_conversation", "SELECT conversation_id, " NOTIFY_CONVERSATION_SETTINGS_COLUMNS
                             ", updated_at FROM conversation_settings "
                             "WHERE user_id = $1 AND conversation_id = $2"};

constexpr pg::Statement kConversations = {
    "settings_conversations", "SELECT conversation_id, " NOTIFY_CONVERSATION_SETTINGS_COLUMNS
                              ", updated_at FROM conversation_settings "
                              "WHERE user_id = $1 AND conversation_id > $2 "
                              "ORDER BY conversation_id LIMIT $3"};

constexpr pg::Statement kCountConversations = {
    "settings_count_conversations",
    "SELECT count(*) FROM conversation_settings WHERE user_id = $1"};

/// $3 as $2 of kInsertUser.
constexpr pg::Statement kInsertConversation = {
    "settings_insert_conversation",
    "INSERT INTO conversation_settings (user_id, conversation_id, notifications_enabled, "
    "sound_enabled, notification_level, muted_until, custom_settings) "
    "VALUES ($1, $2, $4, $5, $6, $7, $8) ON CONFLICT (user_id, conversation_id) DO NOTHING "
    "RETURNING conversation_id, " NOTIFY_CONVERSATION_SETTINGS_COLUMNS ", updated_at, $3::int"};

constexpr pg::Statement kUpdateConversation = {
    "settings_update_conversation",
    "UPDATE conversation_settings SET notifications_enabled = $4, sound_enabled = $5, "
    "notification_level = $6, muted_until = $7, custom_settings = $8 "
    "WHERE user_id = $1 AND conversation_id = $2 AND revision = $3 "
    "RETURNING conversation_id, " NOTIFY_CONVERSATION_SETTINGS_COLUMNS ", updated_at"};

rules::UserColumns read_user(pg::Row& row, std::size_t first) {
  rules::UserColumns columns;
  columns.revision = static_cast<std::int32_t>(row.int64(first));
  columns.notifications_enabled = row.boolean(first + 1);
  columns.sound_enabled = row.boolean(first + 2);
  columns.vibration_enabled = row.boolean(first + 3);
  columns.notification_sound = row.text(first + 4);
  columns.quiet_hours = row.text(first + 5);
  columns.preferences = row.text(first + 6);
  return columns;
}

rules::ConversationColumns read_conversation(pg::Row& row, std::size_t first) {
  rules::ConversationColumns columns;
  columns.revision = static_cast<std::int32_t>(row.int64(first));
  columns.notifications_enabled = row.boolean(first + 1);
  columns.sound_enabled = row.boolean(first + 2);
  columns.notification_level = row.text(first + 3);
  columns.muted_until = row.maybe_timestamp(first + 4);
  columns.custom_settings = row.text(first + 5);
  return columns;
}

/// A row that was asked for or written; none: what there is without one.
Expected<UserRow> user_row(const pg::Result& result) {
  if (result.empty()) return UserRow();
  pg::Row row(result, 0);
  UserRow found{read_user(row, 0), row.timestamp(7)};
  if (row.fault()) return fail(*row.fault());
  return found;
}

Expected<ConversationRow> conversation_row(const pg::Result& result, std::size_t index) {
  pg::Row row(result, index);
  ConversationRow found{row.id<base::ConversationId>(0), read_conversation(row, 1),
                        row.timestamp(7)};
  if (row.fault()) return fail(*row.fault());
  return found;
}

base::Unexpected<base::Error> changed_meanwhile() {
  return fail(Errc::conflict, "the settings have changed since they were read");
}

using Loaded = std::unordered_map<base::UserId, std::shared_ptr<Settings>>;

Settings& settings_of(Loaded& loaded, base::UserId user) {
  std::shared_ptr<Settings>& settings = loaded[user];
  if (!settings) settings = std::make_shared<Settings>();
  return *settings;
}

Expected<Loaded> read_loaded(const pg::Result& users, const pg::Result& conversations,
                             base::WallTime& at) {
  Loaded loaded;
  for (std::size_t i = 0; i < users.rows(); ++i) {
    pg::Row row(users, i);
    at = row.timestamp(0);
    if (!row.is_null(1)) {
      const auto user = row.id<base::UserId>(1);
      settings_of(loaded, user).user = rules::to_settings(read_user(row, 2));
    }
    if (row.fault()) return fail(*row.fault());
  }
  for (std::size_t i = 0; i < conversations.rows(); ++i) {
    pg::Row row(conversations, i);
    const auto user = row.id<base::UserId>(0);
    settings_of(loaded, user)
        .conversations.emplace(row.id<base::ConversationId>(1),
                               rules::to_settings(read_conversation(row, 2)));
    if (row.fault()) return fail(*row.fault());
  }
  return loaded;
}

}  // namespace

async::Task<Expected<LoadedSettings>> PgSettings::load(std::vector<base::UserId> users,
                                                       base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  pg::Array ids(pg::Type::uuid, users.size());
  for (const base::UserId user : users) ids.id(user);
  std::vector<pg::Query> queries(2);
  queries[0].statement = kLoadUsers;
  queries[0].params.array(ids);
  queries[1].statement = kLoadConversations;
  queries[1].params.array(ids).int64(static_cast<std::int64_t>(users.size()) * kConversationsMax);
  const auto results = co_await pool_.transaction(std::move(queries), deadline);
  if (!results) co_return fail(to_error(results.error()));
  LoadedSettings answer;
  auto loaded = read_loaded((*results)[0], (*results)[1], answer.at);
  if (!loaded) co_return fail(std::move(loaded).error());
  answer.settings.reserve(users.size());
  for (const base::UserId user : users) {
    const auto found = loaded->find(user);
    answer.settings.push_back(found == loaded->end() ? default_settings() : found->second);
  }
  co_return answer;
}

async::Task<Expected<SettingsChanges>> PgSettings::changed_since(base::WallTime since,
                                                                 std::int32_t limit,
                                                                 base::Deadline deadline) {
  pg::Params params;
  params.timestamp(since).int64(limit);
  const auto result = co_await pool_.query({kChanged, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  SettingsChanges found;
  found.complete_since = since;
  struct Table {
    std::int32_t rows = 0;
    base::WallTime oldest = base::WallTime::max();
  };
  std::array<Table, 2> tables;
  for (std::size_t i = 0; i < result->rows(); ++i) {
    pg::Row row(*result, i);
    found.now = row.timestamp(0);
    if (!row.is_null(1)) {
      found.changes.push_back({row.id<base::UserId>(1), row.uuid(2),
                               static_cast<std::int32_t>(row.int64(3)), row.timestamp(4)});
      Table& table = tables.at(row.boolean(5) ? 1 : 0);
      ++table.rows;
      table.oldest = std::min(table.oldest, row.timestamp(4));
    }
    if (row.fault()) co_return fail(*row.fault());
  }
  for (const Table& table : tables) {
    // Others of the oldest instant may have been left out.
    if (table.rows < limit) continue;
    const base::WallTime whole_since = table.oldest + std::chrono::milliseconds(1);
    found.complete_since = std::max(found.complete_since, whole_since);
  }
  co_return found;
}

async::Task<Expected<UserRow>> PgSettings::user(base::UserId user, base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  pg::Params params;
  params.id(user);
  const auto result = co_await pool_.query({kUser, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  co_return user_row(*result);
}

async::Task<Expected<UserRow>> PgSettings::put_user(base::UserId user, rules::UserColumns columns,
                                                    base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  pg::Params params;
  params.id(user).int64(columns.revision).boolean(columns.notifications_enabled);
  params.boolean(columns.sound_enabled).boolean(columns.vibration_enabled);
  params.text(columns.notification_sound).text(columns.quiet_hours).text(columns.preferences);
  const pg::Statement& statement = columns.revision == 0 ? kInsertUser : kUpdateUser;
  const auto result = co_await pool_.query({statement, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return changed_meanwhile();
  co_return user_row(*result);
}

async::Task<Expected<ConversationRow>> PgSettings::conversation(base::UserId user,
                                                                base::ConversationId conversation,
                                                                base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  pg::Params params;
  params.id(user).id(conversation);
  const auto result = co_await pool_.query({kConversation, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return ConversationRow{conversation, {}, {}};
  co_return conversation_row(*result, 0);
}

async::Task<Expected<ConversationRow>> PgSettings::put_conversation(base::UserId user,
                                                                    ConversationRow row,
                                                                    base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  const rules::ConversationColumns& columns = row.columns;
  const bool is_new = columns.revision == 0;
  if (is_new) {
    pg::Params whose;
    whose.id(user);
    const auto count = co_await pool_.query({kCountConversations, std::move(whose)}, deadline);
    if (!count) co_return fail(to_error(count.error()));
    const auto rows = count->int64(0, 0);
    if (!rows) co_return fail(rows.error());
    if (*rows >= kConversationsMax) {
      co_return fail(Errc::overloaded, "the user has settings of 10,000 conversations, the most");
    }
  }
  pg::Params params;
  params.id(user).id(row.conversation).int64(columns.revision);
  params.boolean(columns.notifications_enabled).boolean(columns.sound_enabled);
  params.text(columns.notification_level).timestamp(columns.muted_until);
  params.text(columns.custom_settings);
  const auto result = co_await pool_.query(
      {is_new ? kInsertConversation : kUpdateConversation, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  if (result->empty()) co_return changed_meanwhile();
  co_return conversation_row(*result, 0);
}

async::Task<Expected<std::vector<ConversationRow>>> PgSettings::conversations(
    base::UserId user, std::optional<base::ConversationId> after, std::int32_t limit,
    base::Deadline deadline) {
  if (pool_.connected() == 0) co_return fail(no_connection());
  pg::Params params;
  params.id(user).id(after.value_or(base::ConversationId())).int64(limit);
  const auto result = co_await pool_.query({kConversations, std::move(params)}, deadline);
  if (!result) co_return fail(to_error(result.error()));
  std::vector<ConversationRow> rows;
  for (std::size_t i = 0; i < result->rows(); ++i) {
    auto row = conversation_row(*result, i);
    if (!row) co_return fail(std::move(row).error());
    rows.push_back(std::move(*row));
  }
  co_return rows;
}

}  // namespace notify::stores
