#pragma once
// How much of a text a platform shows. What is longer is cut by the platform where it happens to
// end, and its bytes are missing from the payload's 4,096; so a text made of a template is cut
// here, between characters as readers count them (graphemes).
//
// No vendor states a length: it depends on the device, the font and the view. These are the largest
// views' by common measurement. iOS: the body's four lines on the lock screen hold about 178
// characters, the opened notification more; the title is one line. Android: 65 and, expanded, 240.
// Chrome and Firefox: 50 and 120 on the desktops that show least.
// Source: pushamplification.com, "Push notification character limits" (iOS, Android, web);
//         braze.com, "Push message and image formats".

#include <algorithm>
#include <cstddef>

#include "rules/notification.hpp"

namespace notify::rules {

struct TextLengths {
  std::size_t title = 0;  ///< graphemes
  std::size_t body = 0;
};

inline constexpr TextLengths kIosLengths{65, 240};
inline constexpr TextLengths kAndroidLengths{65, 240};
inline constexpr TextLengths kWebLengths{50, 120};

[[nodiscard]] constexpr TextLengths text_lengths(Platform platform) {
  switch (platform) {
    case Platform::ios: return kIosLengths;
    case Platform::android: return kAndroidLengths;
    case Platform::web: return kWebLengths;
    case Platform::unknown: break;
  }
  return kIosLengths;
}

/// What is kept of a text: as much as any of the user's devices can show.
inline constexpr TextLengths kLongest{
    std::max({kIosLengths.title, kAndroidLengths.title, kWebLengths.title}),
    std::max({kIosLengths.body, kAndroidLengths.body, kWebLengths.body})};

/// The bounds that every notification keeps, whoever wrote its texts.
inline constexpr std::size_t kTitleCharactersMax = 255;  // VARCHAR(255) counts code points
inline constexpr std::size_t kBodyBytesMax = 2048;

}  // namespace notify::rules
