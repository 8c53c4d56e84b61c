#pragma once
// Between the columns of user_settings and conversation_settings and what the decision reads, and
// the check of what a user wants to have there. What the JSON columns hold besides is left alone:
// apps keep things of their own in them.

#include <string>
#include <variant>
#include <vector>

#include "base/expected.hpp"
#include "rules/settings.hpp"
#include "rules/validation.hpp"

namespace notify::rules {

/// The column `quiet_hours`, and what a caller asks for; nothing about it is known to be true. A
/// key that the column does not have has the value that stands here.
struct QuietHoursText {
  bool enabled = false;
  std::string start;  ///< "22:00"
  std::string end;
  std::string timezone;            ///< to_quiet_hours() takes UTC if it is empty
  std::vector<std::int64_t> days;  ///< 1 (Monday) to 7; none: all
  std::string mode = "defer";
  std::vector<std::string> exceptions;

  friend bool operator==(const QuietHoursText&, const QuietHoursText&) = default;
};

/// What is wrong with it, each with its field ("start", ...). Quiet hours that are not enabled may
/// lack anything, but what they have must be right.
[[nodiscard]] Violations check(const QuietHoursText& text);

/// Unset: not enabled. Errors: Errc::corrupt if check() finds something.
[[nodiscard]] base::Expected<std::optional<QuietHours>> to_quiet_hours(const QuietHoursText& text);

/// Errors: Errc::corrupt if it is no object, or a field is of another kind.
[[nodiscard]] base::Expected<QuietHoursText> decode_quiet_hours(std::string_view json);
/// `json_before` with `text` in it. Only keys whose values differ are written; a value that is the
/// default is written by leaving its key out. Without a difference it is `json_before` itself. Keys
/// that are not ours stay.
[[nodiscard]] std::string encode_quiet_hours(const QuietHoursText& text,
                                             std::string_view json_before);

/// The columns `preferences` and `custom_settings`: the keys that are ours, and all others.
struct PreferencesText {
  std::string preview;  ///< empty: not set
  std::map<std::string, bool> types;
  bool group_bursts = false;
  std::string other = "{}";  ///< a JSON object

  friend bool operator==(const PreferencesText&, const PreferencesText&) = default;
};
/// A value of another kind counts as not set, so that a change mends it.
[[nodiscard]] PreferencesText decode_preferences(std::string_view json);
/// As encode_quiet_hours(). `text.other` takes the place of the keys that are not ours.
[[nodiscard]] std::string encode_preferences(const PreferencesText& text,
                                             std::string_view json_before);
/// What is wrong with it, each with its field ("preview", "types", "other").
[[nodiscard]] Violations check(const PreferencesText& text);

/// A row; the JSON columns as they are.
struct UserColumns {
  std::int32_t revision = 0;
  bool notifications_enabled = true;
  bool sound_enabled = true;
  bool vibration_enabled = true;
  std::string notification_sound = "default";
  std::string quiet_hours = "{}";
  std::string preferences = "{}";

  friend bool operator==(const UserColumns&, const UserColumns&) = default;
};
/// Never fails: what cannot be read counts as not set, but for quiet hours, see UserSettings.
[[nodiscard]] UserSettings to_settings(const UserColumns& columns);

struct ConversationColumns {
  std::int32_t revision = 0;
  bool notifications_enabled = true;
  bool sound_enabled = true;
  std::string notification_level = "all";
  std::optional<base::WallTime> muted_until;
  std::string custom_settings = "{}";

  friend bool operator==(const ConversationColumns&, const ConversationColumns&) = default;
};
[[nodiscard]] ConversationSettings to_settings(const ConversationColumns& columns);

}  // namespace notify::rules
