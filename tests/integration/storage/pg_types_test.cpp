// Parameters and columns, there and back through a real server.

#include <array>

#include "base/text.hpp"
#include "integration/storage/pg_fixture.hpp"

namespace notify::storage_test {
namespace {

using pg::Array;
using pg::Params;
using pg::Statement;

class PgTypes : public PgTest {};

const base::Uuid kId = *base::Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
const base::WallTime kTime = *base::parse_sql_timestamp("2026-11-22 23:54:25.123");

TEST_F(PgTypes, ScalarsComeBackAsTheyWent) {
  open();
  constexpr Statement kScalars{
      "scalars", "SELECT $1::text, $2::uuid, $3::bigint, $4::boolean, $5::timestamp, $6::text"};
  Params params;
  params.text("h\xC3\xA9llo \"\\{}").uuid(kId).int64(-9).boolean(true).timestamp(kTime).null();
  const auto result = query(kScalars, std::move(params));
  ASSERT_TRUE(result) << result.error().error.detail;
  pg::Row row(*result, 0);
  EXPECT_EQ(row.text(0), "h\xC3\xA9llo \"\\{}");
  EXPECT_EQ(row.uuid(1), kId);
  EXPECT_EQ(row.int64(2), -9);
  EXPECT_TRUE(row.boolean(3));
  EXPECT_EQ(row.timestamp(4), kTime);
  EXPECT_FALSE(row.maybe_text(5));
  EXPECT_FALSE(row.fault());
  (void)row.int64(0);
  ASSERT_TRUE(row.fault());
  EXPECT_EQ(row.fault()->code, base::Errc::corrupt);
}

TEST_F(PgTypes, ArraysOfFiveHundredRowsComeBackAsTheyWent) {
  open();
  constexpr Statement kRows{
      "rows",
      "SELECT i, t, s, n FROM unnest($1::uuid[], $2::text[], $3::timestamp[], $4::int[]) "
      "WITH ORDINALITY AS u(i, t, s, n, place) ORDER BY place"};
  constexpr std::array<std::string_view, 8> kTexts{
      "", "NULL", "a,b", "{}", "\"q\"", "back\\slash", " sp aced ", "\n\t\xE2\x82\xAC"};
  Array ids(pg::Type::uuid, 500);
  Array texts(pg::Type::text, 500);
  Array times(pg::Type::timestamp, 500);
  Array numbers(pg::Type::int4, 500);
  for (std::size_t i = 0; i < 500; ++i) {
    ids.uuid(kId);
    if (i % 9 == 8) {
      texts.null();
      times.null();
    } else {
      texts.text(kTexts[i % 9]);
      times.timestamp(kTime + std::chrono::milliseconds(i));
    }
    numbers.int32(static_cast<std::int32_t>(i) - 250);
  }
  const auto result =
      query(kRows, std::move(Params().array(ids).array(texts).array(times).array(numbers)));
  ASSERT_TRUE(result) << result.error().error.detail;
  ASSERT_EQ(result->rows(), 500U);
  for (std::size_t i = 0; i < 500; ++i) {
    pg::Row row(*result, i);
    EXPECT_EQ(row.uuid(0), kId);
    EXPECT_EQ(row.int64(3), static_cast<std::int64_t>(i) - 250);
    if (i % 9 == 8) {
      EXPECT_TRUE(row.is_null(1) && row.is_null(2));
    } else {
      EXPECT_EQ(row.text(1), kTexts[i % 9]);
      EXPECT_EQ(row.timestamp(2), kTime + std::chrono::milliseconds(i));
    }
    EXPECT_FALSE(row.fault());
  }
}

TEST_F(PgTypes, ArraysOfEveryTypeAreWhatTheServerUnderstands) {
  open();
  constexpr Statement kEach{
      "each",
      "SELECT ($1::boolean[])[1], encode(($2::bytea[])[1], 'hex'), ($3::integer[])[1], "
      "($4::jsonb[])[1] ->> 'a', cardinality($5::text[]), ($6::uuid[])[1] IS NULL"};
  const std::array<std::uint8_t, 3> data{0, 255, 16};
  Params params;
  params.array(Array(pg::Type::boolean).boolean(true));
  params.array(Array(pg::Type::bytea).bytes(data));
  params.array(Array(pg::Type::int4).int32(-7));
  params.array(Array(pg::Type::jsonb).json(R"({"a": "\u00e9"})"));
  params.array(Array(pg::Type::text));
  params.array(Array(pg::Type::uuid).null());
  const auto result = query(kEach, std::move(params));
  ASSERT_TRUE(result) << result.error().error.detail;
  pg::Row row(*result, 0);
  EXPECT_TRUE(row.boolean(0));
  EXPECT_EQ(row.text(1), "00ff10");
  EXPECT_EQ(row.int64(2), -7);
  EXPECT_EQ(row.text(3), "\xC3\xA9");
  EXPECT_EQ(row.int64(4), 0);
  EXPECT_TRUE(row.boolean(5));
  EXPECT_FALSE(row.fault());
}

}  // namespace
}  // namespace notify::storage_test
