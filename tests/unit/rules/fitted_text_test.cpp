#include "rules/fitted_text.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

std::string render(const ShownTexts& texts) { return "<" + texts.title + "|" + texts.body + ">"; }

TEST(FittedText, WhatFitsIsNotTouched) {
  EXPECT_EQ(fit_texts({"Dora", "Hello"}, 12, render), "<Dora|Hello>");
}

TEST(FittedText, TheBodyGivesWayFirst) {
  EXPECT_EQ(fit_texts({"Dora", "Hello world"}, 15, render), "<Dora|Hello…>");
  EXPECT_EQ(fit_texts({"Dora", "Hello"}, 10, render), "<Dora|…>");
  EXPECT_EQ(fit_texts({"Dora", "Hello"}, 9, render), "<Dora|>");
}

TEST(FittedText, ThenTheTitle) {
  EXPECT_EQ(fit_texts({"Dora the Explorer", "Hello"}, 10, render), "<Dora…|>");
  EXPECT_EQ(fit_texts({"Dora", "Hello"}, 3, render), "<|>");
}

TEST(FittedText, NoCharacterIsCutThrough) {
  const std::string family = "\U0001F468\u200D\U0001F469\u200D\U0001F467";
  const std::string text = fit_texts({"D", family + family}, 4 + family.size() + 10, render);
  EXPECT_EQ(text, "<D|" + family + "…>");
}

TEST(FittedText, WhatIsTooLongWithoutTextsIsLeftToTheCaller) {
  EXPECT_EQ(fit_texts({"Dora", "Hello"}, 2, render), "<|>");
}

}  // namespace
}  // namespace notify::rules
