#pragma once
// Between a user's settings and the fields of the hash `preferences:user:{userId}` in Redis, where
// the nodes share what one of them has read. Only what decisions need, each field as JSON.

#include <optional>
#include <string>
#include <unordered_map>

#include "base/expected.hpp"
#include "base/strong_id.hpp"
#include "rules/settings.hpp"

namespace notify::rules {

struct SettingsEntry {
  UserSettings user;
  /// Those that differ from the default.
  std::unordered_map<base::ConversationId, ConversationSettings> conversations;
  base::WallTime loaded_at;  ///< by the database's clock: all that was committed then is in it

  friend bool operator==(const SettingsEntry&, const SettingsEntry&) = default;
};

struct SettingsFields {
  std::string global_settings;        ///< "{}" without a row
  std::string conversation_settings;  ///< by conversation
  std::string quiet_hours;            ///< "{}": none, or not enabled
  std::string last_updated;           ///< encode_last_updated()

  friend bool operator==(const SettingsFields&, const SettingsFields&) = default;
};

/// `{"loaded_at":"2026-11-23T19:12:22.000Z","v":1}`. The bytes sort as the times do, which the
/// script that guards writes relies on.
[[nodiscard]] std::string encode_last_updated(base::WallTime loaded_at);

[[nodiscard]] SettingsFields encode_settings(const SettingsEntry& entry);

/// Errors: Errc::corrupt for what is not exactly what encode_settings() writes, as that of a node
/// of another version: then PostgreSQL tells.
[[nodiscard]] base::Expected<SettingsEntry> decode_settings(const SettingsFields& fields);

}  // namespace notify::rules
