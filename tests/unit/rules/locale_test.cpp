#include "rules/locale.hpp"

#include <gtest/gtest.h>

namespace notify::rules {
namespace {

std::vector<std::string> path(std::string_view tag) {
  std::vector<std::string> tags;
  const std::string normal = normalize_locale(tag).value();
  for (std::string_view t = normal; !t.empty(); t = broader_locale(t)) tags.emplace_back(t);
  return tags;
}
using Tags = std::vector<std::string>;

TEST(Locale, BecomesBroaderSubtagBySubtag) {
  EXPECT_EQ(path("fr-CA"), (Tags{"fr-ca", "fr"}));
  EXPECT_EQ(path("zh_Hant_TW"), (Tags{"zh-hant-tw", "zh-hant", "zh"}));
  EXPECT_EQ(path("DE"), (Tags{"de"}));
  // RFC 4647 §3.4 has this very example.
  EXPECT_EQ(path("zh-Hant-CN-x-private1-private2"),
            (Tags{"zh-hant-cn-x-private1-private2", "zh-hant-cn-x-private1", "zh-hant-cn",
                  "zh-hant", "zh"}));
  EXPECT_EQ(path("fr-u-nu-latn"), (Tags{"fr-u-nu-latn", "fr-u-nu", "fr"}));
}

TEST(Locale, WhatIsNoTagIsRefused) {
  for (const char* tag : {"", "f", "fr-", "-fr", "fr--CA", "fr CA", "français", "fr-toolongtag",
                          "123", "languages1", "a-b", "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd"}) {
    EXPECT_FALSE(normalize_locale(tag)) << tag;
    EXPECT_FALSE(is_locale_of_text(tag)) << tag;
  }
}

TEST(Locale, TextsAreStoredUnderLanguageScriptRegionAndVariants) {
  for (const char* tag : {"fr", "FR-ca", "zh-Hant", "zh-Hant-TW", "es-419", "sl-rozaj-biske",
                          "de-1996", "haw", "de-CH-1901"}) {
    EXPECT_TRUE(is_locale_of_text(tag)) << tag;
  }
  for (const char* tag : {"fr_CA", "fr-x-quebec", "fr-u-nu-latn", "fr-CA-FR", "fr-CA-Latn"}) {
    EXPECT_FALSE(is_locale_of_text(tag)) << tag;
  }
}

}  // namespace
}  // namespace notify::rules
