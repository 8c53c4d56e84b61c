#include "base/text.hpp"

#include <gtest/gtest.h>

namespace notify::base {
namespace {

TEST(Utf8, CountsCodePointsNotBytes) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("héllo"), 5u);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80"), 1u);
}

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  EXPECT_FALSE(utf8_length("\xC0\xAF"));          // overlong
  EXPECT_FALSE(utf8_length("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(utf8_length("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(utf8_length("\xE2\x82"));          // cut
  EXPECT_FALSE(utf8_length("\xFF"));
}

TEST(ControlCharacters, AreFoundWithTheirOffset) {
  EXPECT_EQ(find_control_character(std::string_view("ab\0c", 4)), 2u);
  EXPECT_EQ(find_control_character("a\x7F"), 1u);
  EXPECT_EQ(find_control_character("é\xC2\x85"), 2u);  // U+0085
  EXPECT_FALSE(find_control_character("line\n\ttab é"));
}

TEST(Base64Url, MatchesRfc4648Vectors) {
  EXPECT_EQ(base64url_encode(""), "");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  EXPECT_EQ(base64url_encode("fo"), "Zm8");
  EXPECT_EQ(base64url_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url_encode("\xFB\xFF"), "-_8");
  EXPECT_EQ(base64url_decode("Zm9vYmFy"), "foobar");
  EXPECT_EQ(base64url_decode("Zg=="), "f");
}

TEST(Base64Url, RefusesForeignCharactersAndLeftOverBits) {
  EXPECT_FALSE(base64url_decode("Zm9+"));
  EXPECT_FALSE(base64url_decode("Z"));
  EXPECT_FALSE(base64url_decode("Zh"));
}

TEST(Timestamps, RoundTripThroughSql) {
  const WallTime time(std::chrono::milliseconds(1'790'000'000'123));
  EXPECT_EQ(to_rfc3339(time), "2026-09-21T14:13:20.123Z");
  EXPECT_EQ(to_sql_timestamp(time), "2026-09-21 14:13:20.123");
  EXPECT_EQ(parse_sql_timestamp("2026-09-21 14:13:20.123"), time);
  EXPECT_EQ(parse_sql_timestamp("2026-09-21 14:13:20.123999"), time);
  EXPECT_EQ(parse_sql_timestamp("2026-09-21 14:13:20.5"),
            WallTime(std::chrono::milliseconds(1'790'000'000'500)));
  EXPECT_FALSE(parse_sql_timestamp("2026-13-21 14:13:20"));
  EXPECT_FALSE(parse_sql_timestamp("infinity"));
}

TEST(JsonString, EscapesOnlyWhatMustBe) {
  std::string out;
  append_json_string(out, "a\"b\\c\n\x01 é");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001 é\"");
}

}  // namespace
}  // namespace notify::base
