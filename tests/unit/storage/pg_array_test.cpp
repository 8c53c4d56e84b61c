#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "storage/backoff.hpp"
#include "storage/pg/conninfo.hpp"
#include "storage/pg/params.hpp"

namespace notify::pg {
namespace {

using Element = std::optional<std::string>;

/// Reads a one-dimensional array literal by the rules of the manual (§8.15.2, §8.15.6), so that
/// what Array writes is judged by something else than Array.
std::optional<std::vector<Element>> read_literal(const std::string& literal) {
  if (literal.size() < 2 || literal.front() != '{' || literal.back() != '}') return std::nullopt;
  std::vector<Element> elements;
  std::size_t i = 1;
  const std::size_t end = literal.size() - 1;
  while (i < end) {
    std::string text;
    bool quoted = false;
    if (literal[i] == '"') {
      quoted = true;
      for (++i; i < end && literal[i] != '"'; ++i) {
        if (literal[i] == '\\' && ++i >= end) return std::nullopt;
        text.push_back(literal[i]);
      }
      if (i++ >= end) return std::nullopt;
    } else {
      while (i < end && literal[i] != ',') text.push_back(literal[i++]);
      if (text.empty() || text.find_first_of("\"\\{} ") != std::string::npos) return std::nullopt;
    }
    elements.push_back(!quoted && text == "NULL" ? Element() : Element(text));
    if (i == end) return elements;
    if (literal[i++] != ',' || i == end) return std::nullopt;
  }
  return elements;
}

RC_GTEST_PROP(PgArray, TextsComeBackFromTheLiteralAsTheyWent,
              (const std::vector<std::string>& texts)) {
  Array array;
  std::vector<Element> wanted;
  bool has_nul = false;
  for (const std::string& text : texts) {
    if (text == "n") {  // now and then: rapidcheck likes short strings
      array.null();
      wanted.emplace_back();
      continue;
    }
    has_nul = has_nul || text.find('\0') != std::string::npos;
    array.text(std::string_view(text));
    wanted.emplace_back(text);
  }
  RC_ASSERT(array.size() == texts.size());
  RC_ASSERT(array.invalid() == has_nul);
  RC_ASSERT(read_literal(array.literal()) == wanted);
}

RC_GTEST_PROP(PgArray, TextsOfOnlyAwkwardCharactersComeBack, ()) {
  const auto texts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("\"\\{},NUL \n\xC3"))));
  Array array(texts.size());
  std::vector<Element> wanted;
  for (const std::string& text : texts) {
    array.text(std::string_view(text));
    wanted.emplace_back(text);
  }
  RC_ASSERT(read_literal(std::move(array).literal()) == wanted);
}

RC_GTEST_PROP(PgArray, IntegersComeBack, (const std::vector<std::int64_t>& numbers)) {
  Array array;
  std::vector<Element> wanted;
  for (const std::int64_t number : numbers) {
    array.int64(number);
    wanted.emplace_back(std::to_string(number));
  }
  RC_ASSERT(read_literal(array.literal()) == wanted);
}

TEST(PgArray, WritesEachType) {
  const base::Uuid id = *base::Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  const base::WallTime time = *base::parse_sql_timestamp("2026-11-22 23:54:25.123");
  EXPECT_EQ(Array().literal(), "{}");
  EXPECT_EQ(Array().uuid(id).null().literal(), "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f,NULL}");
  EXPECT_EQ(Array().timestamp(time).literal(), "{\"2026-11-22 23:54:25.123\"}");
  EXPECT_EQ(Array().boolean(true).boolean(false).literal(), "{t,f}");
  EXPECT_EQ(Array().text("NULL").text("").literal(), "{\"NULL\",\"\"}");
  EXPECT_EQ(Array().text(std::optional<std::string>()).int64(std::nullopt).literal(),
            "{NULL,NULL}");
}

TEST(PgParams, GivesValuesInOrderAndNullAsNull) {
  Params params;
  params.text("a")
      .null()
      .int64(-7)
      .boolean(true)
      .text(std::optional<std::string>())
      .array(Array().int64(1));
  const auto values = params.values();
  ASSERT_EQ(values.size(), 6U);
  EXPECT_STREQ(values[0], "a");
  EXPECT_EQ(values[1], nullptr);
  EXPECT_STREQ(values[2], "-7");
  EXPECT_STREQ(values[3], "t");
  EXPECT_EQ(values[4], nullptr);
  EXPECT_STREQ(values[5], "{1}");
  EXPECT_FALSE(params.invalid());
}

TEST(PgParams, ANulByteIsInvalidNotASilentCut) {
  EXPECT_TRUE(Params().text(std::string_view("a\0b", 3)).invalid());
  EXPECT_TRUE(Params().array(Array().text(std::string_view("\0", 1))).invalid());
}

TEST(PgUrl, IsCheckedWithoutBeingQuoted) {
  EXPECT_TRUE(check_url(base::Secret("postgresql://u:p@db.example:5432/notify?sslmode=require")));
  EXPECT_TRUE(check_url(base::Secret("postgres:///notify?host=/run/postgresql")));
  for (const char* wrong : {"", "host=db", "mysql://u:hunter2@db/x", "postgresql://u:hunter2@[db",
                            "postgresql://db/x?nosuch=hunter2"}) {
    const auto checked = check_url(base::Secret(wrong));
    ASSERT_FALSE(checked) << wrong;
    EXPECT_EQ(checked.error().code, base::Errc::invalid);
    EXPECT_EQ(checked.error().detail.find("hunter2"), std::string::npos);
  }
}

TEST(Backoff, DoublesUpToItsBoundWithJitterInTheUpperHalf) {
  using namespace std::chrono_literals;
  base::SeededRng rng(3);
  for (int failures = 0; failures < 100; ++failures) {
    const auto whole = failures < 7 ? 50ms * (1 << failures) : 5000ms;
    const auto delay = storage::backoff(rng, failures, 50ms, 5000ms);
    EXPECT_GE(delay, std::min<std::chrono::microseconds>(whole, 5000ms) / 2);
    EXPECT_LE(delay, std::min<std::chrono::microseconds>(whole, 5000ms));
  }
}

}  // namespace
}  // namespace notify::pg
