#pragma once
// The rows of one statement.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "base/strong_id.hpp"
#include "base/uuid.hpp"

struct pg_result;  // libpq's; its header stays inside this folder's sources

namespace notify::pg {

/// Owns what libpq returned; values are read from it in place.
/// Threading: one thread at a time.
/// Errors:    a column that is NULL, missing, or not of the asked form is Errc::corrupt. The detail
///            names the column, never the value.
/// Limits:    libpq keeps all rows in memory: a statement that can return many has a LIMIT.
class Result {
 public:
  explicit Result(pg_result* result) : result_(result) {}

  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] bool empty() const { return rows() == 0; }
  /// Rows inserted, updated, deleted or selected.
  [[nodiscard]] std::uint64_t affected_rows() const;

  [[nodiscard]] bool is_null(std::size_t row, std::size_t column) const;
  /// Valid as long as the Result.
  [[nodiscard]] base::Expected<std::string_view> text(std::size_t row, std::size_t column) const;
  [[nodiscard]] base::Expected<base::Uuid> uuid(std::size_t row, std::size_t column) const;
  [[nodiscard]] base::Expected<std::int64_t> int64(std::size_t row, std::size_t column) const;
  [[nodiscard]] base::Expected<bool> boolean(std::size_t row, std::size_t column) const;
  [[nodiscard]] base::Expected<base::WallTime> timestamp(std::size_t row, std::size_t column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

/// Reads one row column by column and remembers the first thing that was wrong, so that mapping a
/// row of ten columns asks once, at the end.
/// Lifetime: `result` outlives this.
class Row {
 public:
  Row(const Result& result, std::size_t index) : result_(result), index_(index) {}

  [[nodiscard]] bool is_null(std::size_t column) const { return result_.is_null(index_, column); }

  [[nodiscard]] std::string_view text(std::size_t c) { return keep(result_.text(index_, c)); }
  [[nodiscard]] base::Uuid uuid(std::size_t c) { return keep(result_.uuid(index_, c)); }
  [[nodiscard]] std::int64_t int64(std::size_t c) { return keep(result_.int64(index_, c)); }
  [[nodiscard]] bool boolean(std::size_t c) { return keep(result_.boolean(index_, c)); }
  [[nodiscard]] base::WallTime timestamp(std::size_t c) {
    return keep(result_.timestamp(index_, c));
  }
  template <class Id>
  [[nodiscard]] Id id(std::size_t c) {
    return Id(uuid(c));
  }

  [[nodiscard]] std::optional<std::string_view> maybe_text(std::size_t c) {
    return is_null(c) ? std::nullopt : std::optional(text(c));
  }
  [[nodiscard]] std::optional<base::Uuid> maybe_uuid(std::size_t c) {
    return is_null(c) ? std::nullopt : std::optional(uuid(c));
  }
  [[nodiscard]] std::optional<std::int64_t> maybe_int64(std::size_t c) {
    return is_null(c) ? std::nullopt : std::optional(int64(c));
  }
  [[nodiscard]] std::optional<bool> maybe_boolean(std::size_t c) {
    return is_null(c) ? std::nullopt : std::optional(boolean(c));
  }
  [[nodiscard]] std::optional<base::WallTime> maybe_timestamp(std::size_t c) {
    return is_null(c) ? std::nullopt : std::optional(timestamp(c));
  }
  template <class Id>
  [[nodiscard]] std::optional<Id> maybe_id(std::size_t c) {
    return is_null(c) ? std::nullopt : std::optional(Id(uuid(c)));
  }

  /// The first failure of the reads so far, if there was one.
  [[nodiscard]] const std::optional<base::Error>& fault() const { return fault_; }

 private:
  template <class T>
  T keep(base::Expected<T> value) {
    if (value) return std::move(*value);
    if (!fault_) fault_ = std::move(value.error());
    return T{};
  }

  const Result& result_;
  std::size_t index_;
  std::optional<base::Error> fault_;
};

}  // namespace notify::pg
