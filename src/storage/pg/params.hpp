#pragma once
// The parameters of one statement, in PostgreSQL's text format, in one buffer. Batches travel as
// arrays (`unnest($1::uuid[], $2::text[])`): 500 rows are one statement with one literal a column.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/strong_id.hpp"
#include "base/uuid.hpp"

namespace notify::pg {

/// Builds one array literal (PostgreSQL manual §8.15.2), one element a call.
/// Errors: a NUL byte, which PostgreSQL's text cannot hold, makes the array invalid(); the pool
///         refuses such a statement with Fault::bad_data.
class Array {
 public:
  /// `elements` is how many will come, to allocate once.
  explicit Array(std::size_t elements = 0) { literal_.reserve(2 + elements * 40); }

  Array& text(std::string_view value);
  Array& uuid(const base::Uuid& value);
  /// A bytea.
  Array& bytes(std::span<const std::uint8_t> value);
  Array& int64(std::int64_t value);
  Array& boolean(bool value);
  Array& timestamp(base::WallTime value);
  Array& null();

  template <class Tag>
  Array& id(const base::StrongId<Tag>& value) {
    return uuid(value.uuid());
  }
  Array& text(const std::optional<std::string>& value) {
    return value ? text(std::string_view(*value)) : null();
  }
  Array& text(const char* value) { return text(std::string_view(value)); }
  Array& text(const std::string& value) { return text(std::string_view(value)); }
  Array& uuid(const std::optional<base::Uuid>& value) { return value ? uuid(*value) : null(); }
  Array& int64(std::optional<std::int64_t> value) { return value ? int64(*value) : null(); }
  Array& timestamp(std::optional<base::WallTime> value) {
    return value ? timestamp(*value) : null();
  }
  template <class Tag>
  Array& id(const std::optional<base::StrongId<Tag>>& value) {
    return value ? uuid(value->uuid()) : null();
  }

  [[nodiscard]] bool invalid() const { return invalid_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The finished literal, `{...}`.
  [[nodiscard]] std::string literal() const& { return literal_ + "}"; }
  [[nodiscard]] std::string literal() && { return std::move(literal_.append("}")); }

 private:
  void next();

  std::string literal_ = "{";
  std::size_t size_ = 0;
  bool invalid_ = false;
};

/// The values of $1, $2, ... in order. WallTime is a UTC `timestamp`, as all columns are.
/// Errors: as Array.
class Params {
 public:
  Params& text(std::string_view value);
  Params& uuid(const base::Uuid& value);
  Params& int64(std::int64_t value);
  Params& boolean(bool value);
  Params& timestamp(base::WallTime value);
  Params& array(const Array& value);
  Params& null();

  template <class Tag>
  Params& id(const base::StrongId<Tag>& value) {
    return uuid(value.uuid());
  }
  Params& text(const char* value) { return text(std::string_view(value)); }
  Params& text(const std::string& value) { return text(std::string_view(value)); }
  Params& text(const std::optional<std::string>& value) {
    return value ? text(std::string_view(*value)) : null();
  }
  Params& uuid(const std::optional<base::Uuid>& value) { return value ? uuid(*value) : null(); }
  Params& int64(std::optional<std::int64_t> value) { return value ? int64(*value) : null(); }
  Params& boolean(std::optional<bool> value) { return value ? boolean(*value) : null(); }
  Params& timestamp(std::optional<base::WallTime> value) {
    return value ? timestamp(*value) : null();
  }
  template <class Tag>
  Params& id(const std::optional<base::StrongId<Tag>>& value) {
    return value ? uuid(value->uuid()) : null();
  }

  [[nodiscard]] bool invalid() const { return invalid_; }
  [[nodiscard]] std::size_t size() const { return offsets_.size(); }
  [[nodiscard]] std::size_t bytes() const { return buffer_.size(); }

  /// NUL-terminated values in order, nullptr for NULL; valid until the next change.
  [[nodiscard]] std::vector<const char*> values() const;

 private:
  static constexpr std::size_t kNull = static_cast<std::size_t>(-1);
  void add(std::string_view value);

  std::string buffer_;
  std::vector<std::size_t> offsets_;
  bool invalid_ = false;
};

}  // namespace notify::pg
