#include "base/uuid.hpp"

namespace notify::base {
namespace {

constexpr std::array<std::size_t, 4> kHyphens = {8, 13, 18, 23};
constexpr std::size_t kTextLength = 36;

bool is_hyphen_place(std::size_t index) {
  for (const std::size_t place : kHyphens) {
    if (index == place) return true;
  }
  return false;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void put_instant(Uuid::Bytes& bytes, std::int64_t unix_ms) {
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::uint8_t>(unix_ms >> (8 * (5 - i)));
  }
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  Bytes bytes{};
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < kTextLength; ++i) {
    if (is_hyphen_place(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    const auto shift = (nibble % 2 == 0) ? 4 : 0;
    bytes[nibble / 2] = static_cast<std::uint8_t>(bytes[nibble / 2] | (value << shift));
    ++nibble;
  }
  return Uuid(bytes);
}

std::string Uuid::to_string() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(kTextLength, '-');
  std::size_t place = 0;
  for (const std::uint8_t byte : bytes_) {
    if (is_hyphen_place(place)) ++place;
    text[place++] = kDigits[byte >> 4];
    text[place++] = kDigits[byte & 0x0F];
  }
  return text;
}

bool Uuid::is_v7() const { return (bytes_[6] >> 4) == 7 && (bytes_[8] >> 6) == 2; }

WallTime Uuid::instant() const {
  std::int64_t unix_ms = 0;
  for (std::size_t i = 0; i < 6; ++i) unix_ms = (unix_ms << 8) | bytes_[i];
  return WallTime(std::chrono::milliseconds(unix_ms));
}

Uuid uuid_v7_from(WallTime instant, std::array<std::uint8_t, 10> bits) {
  Uuid::Bytes bytes{};
  put_instant(bytes, instant.time_since_epoch().count());
  for (std::size_t i = 0; i < bits.size(); ++i) bytes[6 + i] = bits[i];
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x70);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  return Uuid(bytes);
}

Uuid uuid_v7_min(WallTime instant) {
  Uuid::Bytes bytes{};
  put_instant(bytes, instant.time_since_epoch().count());
  return Uuid(bytes);
}

Uuid uuid_v7_max(WallTime instant) {
  Uuid::Bytes bytes{};
  bytes.fill(0xFF);
  put_instant(bytes, instant.time_since_epoch().count());
  return Uuid(bytes);
}

Uuid UuidV7Generator::next() {
  constexpr std::uint16_t kCounterMax = 0x0FFF;
  std::int64_t now_ms = clock_.now().time_since_epoch().count();
  const std::uint64_t random = rng_.next();
  if (now_ms > last_ms_) {
    last_ms_ = now_ms;
    counter_ = static_cast<std::uint16_t>(random & 0x07FF);  // top bit 0: room to count
  } else if (counter_ < kCounterMax) {
    ++counter_;
  } else {
    ++last_ms_;  // more than the counter holds in a millisecond: borrow from the next one
    counter_ = static_cast<std::uint16_t>(random & 0x07FF);
  }
  std::array<std::uint8_t, 10> bits{};
  bits[0] = static_cast<std::uint8_t>(counter_ >> 8);
  bits[1] = static_cast<std::uint8_t>(counter_);
  const std::uint64_t tail = rng_.next();
  std::memcpy(bits.data() + 2, &tail, sizeof tail);
  return uuid_v7_from(WallTime(std::chrono::milliseconds(last_ms_)), bits);
}

}  // namespace notify::base
