#include "base/graphemes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "base/text.hpp"

namespace notify::base {
namespace {

std::string cut(std::string_view text, std::size_t graphemes) {
  return cut_graphemes(text, {.graphemes = graphemes});
}

TEST(CutGraphemes, WhatFitsStaysAsItIs) {
  EXPECT_EQ(cut("", 0), "");
  EXPECT_EQ(cut("Dora", 4), "Dora");
  EXPECT_EQ(cut("été", 3), "été");
  EXPECT_EQ(cut("trailing blank ", 15), "trailing blank ");
}

TEST(CutGraphemes, WhatDoesNotFitEndsWithAnEllipsisThatCounts) {
  EXPECT_EQ(cut("Are you coming?", 8), "Are you…");
  EXPECT_EQ(cut("Are you coming?", 9), "Are you…");
  EXPECT_EQ(cut("Are you coming?", 10), "Are you c…");
  EXPECT_EQ(cut("ab", 1), "…");
  EXPECT_EQ(cut("ab", 0), "");
}

TEST(CutGraphemes, NothingThatIsOneCharacterForItsReaderIsSplit) {
  const std::array<std::string, 7> ones = {
      "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466",  // a family: four and joiners
      "\U0001F44D\U0001F3FD",                                        // a thumb with a skin tone
      "\U0001F1E8\U0001F1E6",                                        // the flag of Canada
      "e\u0301\u0323",                                               // two combining marks
      "\u1112\u1161\u11AB",                                          // a Hangul syllable of three
      "\u0928\u093F",                                                // Devanagari ni
      "1\uFE0F\u20E3",                                               // a keycap
  };
  for (const std::string& one : ones) {
    EXPECT_EQ(cut(one, 1), one);
    EXPECT_EQ(cut("a" + one + "b", 3), "a" + one + "b");
    EXPECT_EQ(cut("a" + one + one, 2), "a…") << one;
    EXPECT_EQ(cut(one + one + one, 2), one + "…") << one;
    for (std::size_t bytes = 3; bytes < one.size() + 3; ++bytes) {
      EXPECT_EQ(cut_graphemes(one + one, {.bytes = bytes}), "…") << one << ", " << bytes;
    }
    EXPECT_EQ(cut_graphemes(one + one, {.bytes = one.size() + 3}), one + "…");
  }
  const std::string flags = ones[2] + "\U0001F1EB\U0001F1F7" + ones[2];  // three, without blanks
  EXPECT_EQ(cut(flags, 2), ones[2] + "…");
}

TEST(CutGraphemes, EveryBoundIsKept) {
  EXPECT_EQ(cut_graphemes("éééé", {.bytes = 8}), "éééé");
  EXPECT_EQ(cut_graphemes("éééé", {.bytes = 7}), "éé…");
  EXPECT_EQ(cut_graphemes("éééé", {.bytes = 2}), "");
  EXPECT_EQ(cut_graphemes("éééé", {.code_points = 3}), "éé…");
  const std::string tower = "a" + [] {
    std::string marks;
    for (int i = 0; i < 300; ++i) marks += "\u0301";
    return marks;
  }();
  EXPECT_EQ(cut_graphemes("ab" + tower, {.graphemes = 65, .code_points = 255}), "ab…");
  EXPECT_EQ(cut_graphemes(tower, {.graphemes = 65, .code_points = 255}), "…");
}

RC_GTEST_PROP(CutGraphemes, TheResultIsABeginningOfTheTextWithinTheBounds,
              (std::uint8_t graphemes, std::uint8_t points, std::uint8_t bytes)) {
  static const std::array<std::string, 8> kParts = {"a",          " ",      "é",          "\u0301",
                                                    "\U0001F1E8", "\u200D", "\U0001F468", "\u1161"};
  std::string text;
  for (const auto part : *rc::gen::container<std::vector<std::uint8_t>>(
           rc::gen::inRange<std::uint8_t>(0, kParts.size()))) {
    text += kParts.at(part);
  }
  const std::string made =
      cut_graphemes(text, {.graphemes = graphemes, .code_points = points, .bytes = bytes});
  RC_ASSERT(utf8_length(made).has_value());
  RC_ASSERT(*utf8_length(made) <= points);
  RC_ASSERT(made.size() <= bytes);
  const std::string ellipsis = "…";
  if (made == text || made.empty()) return;
  RC_ASSERT(made.ends_with(ellipsis));
  RC_ASSERT(text.starts_with(made.substr(0, made.size() - ellipsis.size())));
}

}  // namespace
}  // namespace notify::base
