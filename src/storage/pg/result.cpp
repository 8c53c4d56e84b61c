#include "storage/pg/result.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <system_error>

#include "base/text.hpp"

namespace notify::pg {

namespace {

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

base::Unexpected<base::Error> bad_column(std::size_t column, std::string_view what) {
  return base::fail(base::Errc::corrupt,
                    "column " + std::to_string(column) + " " + std::string(what));
}

}  // namespace

void Result::Clear::operator()(pg_result* result) const { PQclear(result); }

std::size_t Result::rows() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::size_t Result::columns() const { return static_cast<std::size_t>(PQnfields(result_.get())); }

std::uint64_t Result::affected_rows() const {
  return parse_number<std::uint64_t>(PQcmdTuples(result_.get())).value_or(0);
}

bool Result::is_null(std::size_t row, std::size_t column) const {
  if (row >= rows() || column >= columns()) return true;
  return PQgetisnull(result_.get(), static_cast<int>(row), static_cast<int>(column)) != 0;
}

base::Expected<std::string_view> Result::text(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return bad_column(column, "is NULL or missing");
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  return std::string_view(PQgetvalue(result_.get(), r, c),
                          static_cast<std::size_t>(PQgetlength(result_.get(), r, c)));
}

base::Expected<base::Uuid> Result::uuid(std::size_t row, std::size_t column) const {
  const auto value = text(row, column);
  if (!value) return base::fail(value.error());
  const auto parsed = base::Uuid::parse(*value);
  if (!parsed) return bad_column(column, "is not a uuid");
  return *parsed;
}

base::Expected<std::int64_t> Result::int64(std::size_t row, std::size_t column) const {
  const auto value = text(row, column);
  if (!value) return base::fail(value.error());
  const auto parsed = parse_number<std::int64_t>(*value);
  if (!parsed) return bad_column(column, "is not an integer");
  return *parsed;
}

base::Expected<bool> Result::boolean(std::size_t row, std::size_t column) const {
  const auto value = text(row, column);
  if (!value) return base::fail(value.error());
  if (*value == "t") return true;
  if (*value == "f") return false;
  return bad_column(column, "is not a boolean");
}

base::Expected<base::WallTime> Result::timestamp(std::size_t row, std::size_t column) const {
  const auto value = text(row, column);
  if (!value) return base::fail(value.error());
  const auto parsed = base::parse_sql_timestamp(*value);
  if (!parsed) return bad_column(column, "is not a timestamp");
  return *parsed;
}

}  // namespace notify::pg
