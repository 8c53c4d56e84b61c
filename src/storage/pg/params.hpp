#pragma once
// The parameters of one statement, in one buffer. Batches travel as arrays (`unnest($1::uuid[],
// $2::text[])`): 500 rows are one statement with one value a column. Arrays are in PostgreSQL's
// binary format, which neither side has to quote or parse; single values are in its text format.

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

/// Types of elements, by their OID (PostgreSQL's pg_type.dat). The server takes an array only of
/// the very type that the statement casts it to: `varchar[]` would not take one of text.
enum class Type : std::uint32_t {
  boolean = 16,
  bytea = 17,
  int4 = 23,
  text = 25,
  timestamp = 1114,
  uuid = 2950,
  jsonb = 3802,
};

/// Builds one array value (array_recv() in PostgreSQL's arrayfuncs.c), one element a call. Each
/// method is for arrays of its type; null() is for all.
/// Errors: a NUL byte, which PostgreSQL's text cannot hold, makes the array invalid(), as does an
///         element of another type; the pool refuses such a statement with Fault::bad_data.
class Array {
 public:
  /// `elements` is how many will come, to allocate once.
  explicit Array(Type type, std::size_t elements = 0);

  Array& text(std::string_view value);
  /// A jsonb.
  Array& json(std::string_view value);
  Array& uuid(const base::Uuid& value);
  /// A bytea.
  Array& bytes(std::span<const std::uint8_t> value);
  Array& int32(std::int32_t value);
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
  Array& timestamp(std::optional<base::WallTime> value) {
    return value ? timestamp(*value) : null();
  }
  template <class Tag>
  Array& id(const std::optional<base::StrongId<Tag>>& value) {
    return value ? uuid(value->uuid()) : null();
  }

  [[nodiscard]] bool invalid() const { return invalid_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The finished value.
  [[nodiscard]] std::string value() const;

 private:
  void element(Type type, std::string_view bytes);

  Type type_;
  std::string elements_;  // each behind its length
  std::size_t size_ = 0;
  bool has_null_ = false;
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
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] std::size_t bytes() const { return buffer_.size(); }

  /// What libpq wants to know of each value, in order; valid until the next change.
  struct View {
    std::vector<const char*> values;  ///< nullptr for NULL; text ends with a NUL
    std::vector<int> lengths;
    std::vector<int> formats;  ///< 0: text, 1: binary
  };
  [[nodiscard]] View view() const;

 private:
  enum class Format : std::uint8_t { null, text, binary };
  struct Value {
    Format format = Format::null;
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  void add(Format format, std::string_view value);

  std::string buffer_;
  std::vector<Value> values_;
  bool invalid_ = false;
};

}  // namespace notify::pg
