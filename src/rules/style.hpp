#pragma once
// How a notification is shown to this user: what a decision leaves to the payload.

#include <string>
#include <string_view>

#include "rules/decision.hpp"

namespace notify::rules {

struct Style {
  std::string sound;  ///< a name in the app, or "default"; empty: none
  bool vibrates = true;
  bool is_silent = false;  ///< quiet hours: it neither sounds nor lights the screen
  PreviewLevel preview = PreviewLevel::full;

  friend bool operator==(const Style&, const Style&) = default;
};

/// What a service sends with the sound "default" has the sound that the user has chosen. Who has
/// switched sound off, for all or for a conversation, hears none; a conversation's preview level
/// goes before the user's.
[[nodiscard]] Style style_of(const Circumstances& facts, const Decision& decision);

/// Bytes of a sound's name: user_settings.notification_sound is VARCHAR(100).
inline constexpr std::size_t kSoundMax = 100;
/// Bytes of each of HiddenTexts.
inline constexpr std::size_t kHiddenTextMax = 64;

/// Texts in place of those that must not be read on a locked screen.
struct HiddenTexts {
  std::string title = "Whispr";
  std::string body = "New message";
};

/// As much of the texts as the level allows.
struct ShownTexts {
  std::string_view title;
  std::string_view body;
};
/// Lifetime: views into the arguments.
[[nodiscard]] ShownTexts shown_texts(const Notification& notification, PreviewLevel preview,
                                     const HiddenTexts& hidden);

}  // namespace notify::rules
