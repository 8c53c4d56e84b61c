#include "storage/pg/params.hpp"

#include <array>
#include <charconv>
#include <limits>

#include "base/text.hpp"

namespace notify::pg {

namespace {

struct IntegerText {
  std::array<char, 24> digits;
  std::size_t size;
  explicit IntegerText(std::int64_t value)
      : size(static_cast<std::size_t>(
            std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr -
            digits.data())) {}
  [[nodiscard]] std::string_view view() const { return {digits.data(), size}; }
};

/// As all numbers of the binary format are.
template <class Unsigned>
void append_big_endian(std::string& to, Unsigned number) {
  for (int shift = std::numeric_limits<Unsigned>::digits - 8; shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(number >> shift));
  }
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr char kJsonbVersion = 1;  // jsonb_recv()
constexpr std::uint32_t kNullLength = 0xFFFFFFFF;
/// From where timestamps count: 2000-01-01 (POSTGRES_EPOCH_JDATE).
constexpr base::WallTime kTimestampEpoch{std::chrono::seconds(946'684'800)};

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace

Array::Array(Type type, std::size_t elements) : type_(type) {
  constexpr std::size_t kTypical = 24;  // bytes of an element and its length
  elements_.reserve(elements * kTypical);
}

void Array::element(Type type, std::string_view bytes) {
  if (type != type_) invalid_ = true;
  append_big_endian(elements_, static_cast<std::uint32_t>(bytes.size()));
  elements_.append(bytes);
  ++size_;
}

Array& Array::text(std::string_view value) {
  if (has_nul(value)) invalid_ = true;
  element(Type::text, value);
  return *this;
}

Array& Array::json(std::string_view value) {
  if (has_nul(value) || type_ != Type::jsonb) invalid_ = true;
  append_big_endian(elements_, static_cast<std::uint32_t>(value.size() + 1));
  elements_.push_back(kJsonbVersion);
  elements_.append(value);
  ++size_;
  return *this;
}

Array& Array::uuid(const base::Uuid& value) {
  element(Type::uuid, as_text(value.bytes()));
  return *this;
}

Array& Array::bytes(std::span<const std::uint8_t> value) {
  element(Type::bytea, as_text(value));
  return *this;
}

Array& Array::int32(std::int32_t value) {
  std::string bytes;
  append_big_endian(bytes, static_cast<std::uint32_t>(value));
  element(Type::int4, bytes);
  return *this;
}

Array& Array::boolean(bool value) {
  element(Type::boolean, std::string_view(value ? "\1" : "\0", 1));
  return *this;
}

Array& Array::timestamp(base::WallTime value) {
  const std::chrono::microseconds since_epoch = value - kTimestampEpoch;
  std::string bytes;
  append_big_endian(bytes, static_cast<std::uint64_t>(since_epoch.count()));
  element(Type::timestamp, bytes);
  return *this;
}

Array& Array::null() {
  append_big_endian(elements_, kNullLength);
  has_null_ = true;
  ++size_;
  return *this;
}

std::string Array::value() const {
  std::string value;
  value.reserve(20 + elements_.size());
  append_big_endian(value, std::uint32_t{size_ > 0});  // dimensions
  append_big_endian(value, std::uint32_t{has_null_});
  append_big_endian(value, static_cast<std::uint32_t>(type_));
  if (size_ > 0) {
    append_big_endian(value, static_cast<std::uint32_t>(size_));
    append_big_endian(value, std::uint32_t{1});  // the first element's index
  }
  return value.append(elements_);
}

void Params::add(Format format, std::string_view value) {
  values_.push_back({format, buffer_.size(), value.size()});
  buffer_.append(value).push_back('\0');
}

Params& Params::text(std::string_view value) {
  if (has_nul(value)) invalid_ = true;
  add(Format::text, value);
  return *this;
}

Params& Params::uuid(const base::Uuid& value) {
  add(Format::text, value.to_string());
  return *this;
}

Params& Params::int64(std::int64_t value) {
  add(Format::text, IntegerText(value).view());
  return *this;
}

Params& Params::boolean(bool value) {
  add(Format::text, value ? "t" : "f");
  return *this;
}

Params& Params::timestamp(base::WallTime value) {
  add(Format::text, base::to_sql_timestamp(value));
  return *this;
}

Params& Params::array(const Array& value) {
  if (value.invalid()) invalid_ = true;
  add(Format::binary, value.value());
  return *this;
}

Params& Params::null() {
  values_.emplace_back();
  return *this;
}

Params::View Params::view() const {
  View view;
  view.values.reserve(values_.size());
  view.lengths.reserve(values_.size());
  view.formats.reserve(values_.size());
  for (const Value& value : values_) {
    view.values.push_back(value.format == Format::null ? nullptr : buffer_.data() + value.offset);
    view.lengths.push_back(static_cast<int>(value.size));
    view.formats.push_back(value.format == Format::binary ? 1 : 0);
  }
  return view;
}

}  // namespace notify::pg
