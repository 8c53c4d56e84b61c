#pragma once
// Cuts text to a length without cutting through what a reader sees as one character: an emoji of
// several, a flag, a letter and its accents, a Hangul syllable. ICU stays behind this header.
// Source: Unicode Standard Annex #29, "Extended grapheme clusters".

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace notify::base {

/// What a text may have, the ellipsis included. One grapheme can be of any length, so whoever has a
/// bound on bytes or code points says so.
struct TextBounds {
  std::size_t graphemes = std::numeric_limits<std::size_t>::max();
  std::size_t code_points = std::numeric_limits<std::size_t>::max();
  std::size_t bytes = std::numeric_limits<std::size_t>::max();
};

/// `text` as it is if it keeps the bounds; else as many of its graphemes as leave room for "…",
/// which then follows, without blanks before it. Empty if not even "…" has room. `text` is valid
/// UTF-8.
[[nodiscard]] std::string cut_graphemes(std::string_view text, const TextBounds& bounds);

}  // namespace notify::base
