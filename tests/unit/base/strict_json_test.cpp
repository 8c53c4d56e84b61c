#include "base/strict_json.hpp"

#include <gtest/gtest.h>

namespace notify::base {
namespace {

std::string flaw_of(std::string_view text, int depth_max = 4) {
  const auto json = parse_strict_json(text, depth_max);
  return json ? "" : json.error().detail;
}

TEST(StrictJson, ReadsWhatEveryReaderUnderstandsAlike) {
  const auto json = parse_strict_json(R"({"a":[1,{"b":"ü"}],"c":{"a":null}})", 4);
  ASSERT_TRUE(json) << json.error().detail;
  EXPECT_EQ((*json)["a"][1]["b"], "ü");
  EXPECT_EQ(flaw_of("3"), "");
}

TEST(StrictJson, ANameThatStandsTwiceIsRefused) {
  for (const char* text : {R"({"a":1,"a":1})", R"([{"a":{"b":1,"c":{},"b":2}}])",
                           R"({"a":1,"\u0061":2})", R"({"":1,"":2})"}) {
    EXPECT_EQ(flaw_of(text), "has a name twice in one object") << text;
  }
}

TEST(StrictJson, WhatIsNestedTooDeepIsRefusedHoweverDeep) {
  EXPECT_EQ(flaw_of("[[[[1]]]]"), "");
  EXPECT_EQ(flaw_of("[[[[[1]]]]]"), "is nested too deep");
  EXPECT_EQ(flaw_of(R"({"a":{"b":[{"c":{}}]}})"), "is nested too deep");
  EXPECT_EQ(flaw_of(std::string(1'000'000, '[')), "is nested too deep");
}

TEST(StrictJson, WhatIsNoJsonIsRefusedAndNotQuoted) {
  for (const char* text : {"", "{", "{}x", "{} {}", "[1,]", "{a:1}", "'a'", "\"\xff\"", "\"\n\"",
                           "1e999", "NaN", "\xEF\xBB\xBF", "// x\n1"}) {
    EXPECT_EQ(flaw_of(text), "is not valid JSON") << text;
  }
}

}  // namespace
}  // namespace notify::base
