#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "storage/backoff.hpp"
#include "storage/pg/conninfo.hpp"
#include "storage/pg/params.hpp"

namespace notify::pg {
namespace {

using Element = std::optional<std::string>;

/// Reads a one-dimensional array as array_recv() of PostgreSQL does, so that what Array writes is
/// judged by something else than Array.
class ArrayReader {
 public:
  explicit ArrayReader(std::string bytes) : bytes_(std::move(bytes)) {}

  /// The elements' bytes; nothing if PostgreSQL would refuse the array.
  std::optional<std::vector<Element>> read(Type type) {
    const std::uint32_t dimensions = number();
    const std::uint32_t flags = number();
    if (dimensions > 1 || flags > 1 || number() != static_cast<std::uint32_t>(type)) return {};
    std::vector<Element> elements;
    if (dimensions == 1) {
      const std::uint32_t size = number();
      if (number() != 1) return {};  // where the index begins
      for (std::uint32_t i = 0; i < size; ++i) elements.push_back(element());
    }
    const bool has_null = std::find(elements.begin(), elements.end(), Element()) != elements.end();
    if (ran_over_ || at_ != bytes_.size() || has_null != (flags == 1)) return {};
    return elements;
  }

 private:
  std::string take(std::size_t size) {
    ran_over_ = ran_over_ || size > bytes_.size() - at_;
    if (ran_over_) return {};
    return bytes_.substr(std::exchange(at_, at_ + size), size);
  }
  std::uint32_t number() {
    std::uint32_t number = 0;
    for (const char c : take(4)) number = number << 8 | static_cast<std::uint8_t>(c);
    return number;
  }
  Element element() {
    const std::uint32_t size = number();
    return size == 0xFFFFFFFF ? Element() : Element(take(size));
  }

  std::string bytes_;
  std::size_t at_ = 0;
  bool ran_over_ = false;
};

std::optional<std::vector<Element>> read(const Array& array, Type type) {
  return ArrayReader(array.value()).read(type);
}

RC_GTEST_PROP(PgArray, TextsComeBackAsTheyWent, (const std::vector<std::string>& texts)) {
  Array array(Type::text, texts.size());
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
  RC_ASSERT(read(array, Type::text) == wanted);
}

/// The bytes are those of PostgreSQL's send functions, as `SELECT encode(uuid_send(..), 'hex')` and
/// so on show them.
TEST(PgArray, WritesEachType) {
  const auto bytes = [](const char* text, std::size_t size) {
    return std::vector<Element>{std::string(text, size)};
  };
  const base::Uuid id = *base::Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  const base::WallTime time = *base::parse_sql_timestamp("2026-11-22 23:54:25.123");
  EXPECT_EQ(read(Array(Type::uuid).uuid(id), Type::uuid),
            bytes("\x01\x7f\x22\xe2\x79\xb0\x7c\xc3\x98\xc4\xdc\x0c\x0c\x07\x39\x8f", 16));
  EXPECT_EQ(read(Array(Type::timestamp).timestamp(time), Type::timestamp),
            bytes("\x00\x03\x03\xe4\xf7\x36\xce\xb8", 8));
  EXPECT_EQ(read(Array(Type::boolean).boolean(true), Type::boolean), bytes("\1", 1));
  EXPECT_EQ(read(Array(Type::boolean).boolean(false), Type::boolean), bytes("\0", 1));
  EXPECT_EQ(read(Array(Type::int4).int32(-2), Type::int4), bytes("\xff\xff\xff\xfe", 4));
  EXPECT_EQ(read(Array(Type::jsonb).json("{}"), Type::jsonb), bytes("\x01{}", 3));
  const std::array<std::uint8_t, 2> data{0, 255};
  EXPECT_EQ(read(Array(Type::bytea).bytes(data), Type::bytea), bytes("\0\xff", 2));
  EXPECT_EQ(read(Array(Type::text), Type::text), std::vector<Element>());
}

TEST(PgArray, AnElementOfAnotherTypeIsInvalid) {
  EXPECT_TRUE(Array(Type::text).boolean(true).invalid());
  EXPECT_TRUE(Array(Type::text).json("{}").invalid());
  EXPECT_TRUE(Array(Type::jsonb).text("{}").invalid());
}

TEST(PgParams, GivesValuesInOrderAndNullAsNull) {
  Params params;
  params.text("a")
      .null()
      .int64(-7)
      .boolean(true)
      .text(std::optional<std::string>())
      .array(Array(Type::int4).int32(1));
  const auto [values, lengths, formats] = params.view();
  ASSERT_EQ(values.size(), 6U);
  EXPECT_STREQ(values[0], "a");
  EXPECT_EQ(values[1], nullptr);
  EXPECT_STREQ(values[2], "-7");
  EXPECT_STREQ(values[3], "t");
  EXPECT_EQ(values[4], nullptr);
  EXPECT_EQ(std::string(values[5], static_cast<std::size_t>(lengths[5])),
            Array(Type::int4).int32(1).value());
  EXPECT_EQ(formats, (std::vector<int>{0, 0, 0, 0, 0, 1}));
  EXPECT_FALSE(params.invalid());
}

TEST(PgParams, ANulByteIsInvalidNotASilentCut) {
  EXPECT_TRUE(Params().text(std::string_view("a\0b", 3)).invalid());
  EXPECT_TRUE(Params().array(Array(Type::text).text(std::string_view("\0", 1))).invalid());
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
