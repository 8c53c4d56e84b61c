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
  std::size_t stands_for = 1;  ///< so many notifications, itself among them

  friend bool operator==(const Style&, const Style&) = default;
};

/// What a service sends with the sound "default" has the sound that the user has chosen. Who has
/// switched sound off, for all or for a conversation, hears none; a conversation's preview level
/// goes before the user's. A background push neither sounds nor vibrates.
[[nodiscard]] Style style_of(const Circumstances& facts, const Decision& decision);

/// Bytes of a sound's name: user_settings.notification_sound is VARCHAR(100).
inline constexpr std::size_t kSoundMax = 100;
/// Bytes of each of OwnTexts.
inline constexpr std::size_t kOwnTextMax = 64;

/// The service's own texts, in place of the caller's.
struct OwnTexts {
  /// What must not be read on a locked screen.
  std::string hidden_title = "Whispr";
  std::string hidden_body = "New message";
  std::string summary = "{count} new messages";  ///< the body of one that stands for several
};
/// What OwnTexts::summary holds the number with.
inline constexpr std::string_view kCountMark = "{count}";

/// What is shown: as much of the texts as the level allows.
struct ShownTexts {
  std::string title;
  std::string body;
};
[[nodiscard]] ShownTexts shown_texts(const Notification& notification, const Style& style,
                                     const OwnTexts& own);

}  // namespace notify::rules
