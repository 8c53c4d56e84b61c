#include "storage/pg/params.hpp"

#include <array>
#include <charconv>

#include "base/text.hpp"

namespace notify::pg {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

using UuidText = std::array<char, 36>;

UuidText format(const base::Uuid& uuid) {
  UuidText text;
  std::size_t place = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[place++] = '-';
    text[place++] = kHex[uuid.bytes()[i] >> 4];
    text[place++] = kHex[uuid.bytes()[i] & 15];
  }
  return text;
}

std::string_view view(const UuidText& text) { return {text.data(), text.size()}; }

struct IntegerText {
  std::array<char, 24> digits;
  std::size_t size;
  explicit IntegerText(std::int64_t value)
      : size(static_cast<std::size_t>(
            std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr -
            digits.data())) {}
  [[nodiscard]] std::string_view view() const { return {digits.data(), size}; }
};

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace

void Array::next() {
  if (size_++ > 0) literal_.push_back(',');
}

Array& Array::text(std::string_view value) {
  next();
  if (has_nul(value)) invalid_ = true;
  // Always quoted: so an empty string, `NULL`, spaces, commas and braces need no case of their own.
  literal_.push_back('"');
  std::size_t clean_from = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '"' && value[i] != '\\') continue;
    literal_.append(value.substr(clean_from, i - clean_from)).push_back('\\');
    clean_from = i;
  }
  literal_.append(value.substr(clean_from)).push_back('"');
  return *this;
}

Array& Array::uuid(const base::Uuid& value) {
  next();
  literal_.append(view(format(value)));
  return *this;
}

Array& Array::bytes(std::span<const std::uint8_t> value) {
  next();
  literal_.append("\"\\\\x");  // bytea's hex format, its backslash escaped for the array
  for (const std::uint8_t byte : value) {
    literal_.push_back(kHex[byte >> 4]);
    literal_.push_back(kHex[byte & 15]);
  }
  literal_.push_back('"');
  return *this;
}

Array& Array::int64(std::int64_t value) {
  next();
  literal_.append(IntegerText(value).view());
  return *this;
}

Array& Array::boolean(bool value) {
  next();
  literal_.push_back(value ? 't' : 'f');
  return *this;
}

Array& Array::timestamp(base::WallTime value) {
  next();
  literal_.append("\"").append(base::to_sql_timestamp(value)).push_back('"');
  return *this;
}

Array& Array::null() {
  next();
  literal_.append("NULL");
  return *this;
}

void Params::add(std::string_view value) {
  offsets_.push_back(buffer_.size());
  buffer_.append(value).push_back('\0');
}

Params& Params::text(std::string_view value) {
  if (has_nul(value)) invalid_ = true;
  add(value);
  return *this;
}

Params& Params::uuid(const base::Uuid& value) {
  add(view(format(value)));
  return *this;
}

Params& Params::int64(std::int64_t value) {
  add(IntegerText(value).view());
  return *this;
}

Params& Params::boolean(bool value) {
  add(value ? "t" : "f");
  return *this;
}

Params& Params::timestamp(base::WallTime value) {
  add(base::to_sql_timestamp(value));
  return *this;
}

Params& Params::array(const Array& value) {
  if (value.invalid()) invalid_ = true;
  add(value.literal());
  return *this;
}

Params& Params::null() {
  offsets_.push_back(kNull);
  return *this;
}

std::vector<const char*> Params::values() const {
  std::vector<const char*> values;
  values.reserve(offsets_.size());
  for (const std::size_t offset : offsets_) {
    values.push_back(offset == kNull ? nullptr : buffer_.data() + offset);
  }
  return values;
}

}  // namespace notify::pg
