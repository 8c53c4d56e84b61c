#include "stores/redis_settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/compression.hpp"
#include "rules/settings_entry.hpp"

namespace notify::stores {
namespace {

using base::Errc;
using base::Expected;
using base::fail;
using redis::Command;
using redis::Reply;

constexpr std::array<std::string_view, 4> kFields = {"global_settings", "conversation_settings",
                                                     "quiet_hours", "last_updated"};

/// A slow reader must not put old settings back over newer ones; `last_updated` sorts by time. What
/// claims to be from after ARGV[5] is no settings of ours: a clock was wrong, or somebody wrote it.
const redis::Script kPut(R"(
local there = redis.call('HGET', KEYS[1], 'last_updated')
if there and there > ARGV[4] and there <= ARGV[5] then return 0 end
redis.call('HSET', KEYS[1], 'global_settings', ARGV[1], 'conversation_settings', ARGV[2],
           'quiet_hours', ARGV[3], 'last_updated', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1)");
constexpr std::chrono::minutes kAheadMax{1};

std::string key_of(base::UserId user) { return "preferences:user:" + user.to_string(); }

base::Unexpected<base::Error> unconnected() {
  return fail(Errc::unavailable, "there is no connection to Redis");
}

/// Of who has settings for hundreds of conversations: they are much alike.
std::string packed(const std::string& json) {
  return json.size() < RedisSettings::kCompressFrom ? json : base::compress(json);
}

/// What is no frame, or a damaged one, is left to whoever reads it as JSON.
std::string unpacked(std::string value) {
  if (!base::is_compressed(value)) return value;
  return base::decompress(value, RedisSettings::kBytesMax).value_or(std::move(value));
}

Command put_command(const SharedSettings& one, const rules::SettingsFields& fields) {
  Command command("EVALSHA");
  command.arg(kPut.sha1()).arg("1").key(key_of(one.user));
  command.arg(packed(fields.global_settings)).arg(packed(fields.conversation_settings));
  command.arg(packed(fields.quiet_hours)).arg(fields.last_updated);
  command.arg(rules::encode_last_updated(one.loaded_at + kAheadMax))
      .arg(RedisSettings::kTtl.count());
  return command;
}

std::vector<Command> put_commands(const std::vector<SharedSettings>& settings) {
  std::vector<Command> commands;
  for (const SharedSettings& one : settings) {
    const rules::SettingsFields fields =
        rules::encode_settings({one.settings->user, one.settings->conversations, one.loaded_at});
    const std::size_t bytes = fields.global_settings.size() + fields.conversation_settings.size() +
                              fields.quiet_hours.size();
    if (bytes <= RedisSettings::kBytesMax) commands.push_back(put_command(one, fields));
  }
  return commands;
}

/// Unset: there is no hash, or none that this version can read.
std::optional<SharedSettings> read_shared(base::UserId user, Reply& reply) {
  if (reply.elements().size() != kFields.size()) return std::nullopt;
  for (const Reply& field : reply.elements()) {
    if (field.type() != Reply::Type::string) return std::nullopt;
  }
  const auto field = [&reply](std::size_t i) { return unpacked(reply.elements()[i].take_text()); };
  auto entry = rules::decode_settings({field(0), field(1), field(2), field(3)});
  if (!entry) return std::nullopt;
  const base::WallTime loaded_at = entry->loaded_at;
  if (entry->user.revision == 0 && entry->conversations.empty()) {
    return SharedSettings{user, default_settings(), loaded_at};
  }
  auto settings = std::make_shared<Settings>();
  settings->user = std::move(entry->user);
  settings->conversations = std::move(entry->conversations);
  return SharedSettings{user, std::move(settings), loaded_at};
}

}  // namespace

async::Task<Expected<std::vector<std::optional<SharedSettings>>>> RedisSettings::find(
    std::vector<base::UserId> users, base::Deadline deadline) {
  if (redis_.connected() == 0) co_return unconnected();
  std::vector<Command> commands;
  commands.reserve(users.size());
  for (const base::UserId user : users) {
    commands.emplace_back("HMGET");
    commands.back().key(key_of(user));
    for (const std::string_view field : kFields) commands.back().arg(field);
  }
  auto replies = co_await redis_.pipeline(std::move(commands), deadline);
  if (!replies) co_return fail(std::move(replies).error());
  std::vector<std::optional<SharedSettings>> found;
  found.reserve(users.size());
  for (std::size_t i = 0; i < users.size(); ++i) {
    found.push_back(read_shared(users[i], (*replies)[i]));
  }
  co_return found;
}

async::Task<Expected<void>> RedisSettings::put(std::vector<SharedSettings> settings,
                                               base::Deadline deadline) {
  if (redis_.connected() == 0) co_return unconnected();
  const auto is_unknown = [](const Reply& reply) {
    return reply.is_error() && reply.error_prefix() == "NOSCRIPT";
  };
  for (bool is_again : {false, true}) {
    std::vector<Command> commands = put_commands(settings);
    if (commands.empty()) break;
    const auto replies = co_await redis_.pipeline(std::move(commands), deadline);
    if (!replies) co_return fail(replies.error());
    if (is_again || !std::any_of(replies->begin(), replies->end(), is_unknown)) break;
    // A server that has just started.
    const auto taught =
        co_await redis_.command(Command("SCRIPT").arg("LOAD").arg(kPut.source()), deadline);
    if (!taught) co_return fail(taught.error());
  }
  co_return Expected<void>();
}

async::Task<Expected<void>> RedisSettings::forget(std::vector<base::UserId> users,
                                                  base::Deadline deadline) {
  if (redis_.connected() == 0) co_return unconnected();
  std::vector<Command> commands;
  commands.reserve(users.size());
  for (const base::UserId user : users) {
    commands.emplace_back("UNLINK");
    commands.back().key(key_of(user));
  }
  const auto replies = co_await redis_.pipeline(std::move(commands), deadline);
  if (!replies) co_return fail(replies.error());
  co_return Expected<void>();
}

}  // namespace notify::stores
