#pragma once
// What a user wants, globally and of one conversation: the rows of user_settings and
// conversation_settings, as the decision reads them. What is default-made is what most users have.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "rules/quiet_hours.hpp"

namespace notify::rules {

/// What may be read on a locked screen.
enum class PreviewLevel : std::uint8_t {
  full = 1,
  sender,  ///< the title, and that there is something
  none,    ///< that there is something
};
[[nodiscard]] std::string_view name(PreviewLevel level);
[[nodiscard]] std::optional<PreviewLevel> parse_preview_level(std::string_view text);

/// What of a conversation is delivered.
enum class NotificationLevel : std::uint8_t { all = 1, mentions, none };
[[nodiscard]] std::string_view name(NotificationLevel level);
[[nodiscard]] std::optional<NotificationLevel> parse_notification_level(std::string_view text);

struct UserSettings {
  std::int32_t revision = 0;  ///< of the row; 0: there is none, these are the defaults
  bool notifications_enabled = true;
  bool sound_enabled = true;
  bool vibration_enabled = true;
  std::string notification_sound = "default";
  std::optional<QuietHours> quiet_hours;  ///< unset: none, or not enabled
  /// The column holds something that nobody can read. Who asked for quiet is not woken.
  bool quiet_hours_unreadable = false;
  PreviewLevel preview = PreviewLevel::full;
  std::map<std::string, bool, std::less<>> types;  ///< false: switched off; others are on
  bool group_bursts = false;  ///< of a burst in a conversation: the first, then one for all others

  friend bool operator==(const UserSettings&, const UserSettings&) = default;
};

struct ConversationSettings {
  std::int32_t revision = 0;
  bool notifications_enabled = true;
  bool sound_enabled = true;
  NotificationLevel level = NotificationLevel::all;
  std::optional<base::WallTime> muted_until;
  std::optional<PreviewLevel> preview;  ///< unset: as the user's

  friend bool operator==(const ConversationSettings&, const ConversationSettings&) = default;
};

}  // namespace notify::rules
