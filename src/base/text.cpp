#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace notify::base {
namespace {

/// Decodes one code point at `at`; returns its length in bytes, or 0 if it is not valid UTF-8.
std::size_t decode_utf8(std::string_view text, std::size_t at, char32_t& point) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  const std::uint8_t lead = byte(0);
  std::size_t length = 0;
  char32_t least = 0;
  if (lead < 0x80) {
    point = lead;
    return 1;
  }
  if ((lead & 0xE0) == 0xC0) {
    length = 2, least = 0x80, point = lead & 0x1F;
  } else if ((lead & 0xF0) == 0xE0) {
    length = 3, least = 0x800, point = lead & 0x0F;
  } else if ((lead & 0xF8) == 0xF0) {
    length = 4, least = 0x10000, point = lead & 0x07;
  } else {
    return 0;
  }
  if (at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    point = (point << 6) | (byte(i) & 0x3F);
  }
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return (point < least || point > 0x10FFFF || surrogate) ? 0 : length;
}

struct PointRange {
  char32_t first;
  char32_t last;
};

/// Source: Unicode 15, PropList.txt (White_Space) and DerivedCoreProperties.txt
/// (Default_Ignorable_Code_Point), the control characters, and the blank Braille pattern.
constexpr std::array kShowNothing = {
    PointRange{0x00, 0x20},      PointRange{0x7F, 0xA0},       PointRange{0xAD, 0xAD},
    PointRange{0x34F, 0x34F},    PointRange{0x61C, 0x61C},     PointRange{0x115F, 0x1160},
    PointRange{0x1680, 0x1680},  PointRange{0x17B4, 0x17B5},   PointRange{0x180B, 0x180F},
    PointRange{0x2000, 0x200F},  PointRange{0x2028, 0x202F},   PointRange{0x205F, 0x206F},
    PointRange{0x2800, 0x2800},  PointRange{0x3000, 0x3000},   PointRange{0x3164, 0x3164},
    PointRange{0xFE00, 0xFE0F},  PointRange{0xFEFF, 0xFEFF},   PointRange{0xFFA0, 0xFFA0},
    PointRange{0xFFF0, 0xFFF8},  PointRange{0x1BCA0, 0x1BCA3}, PointRange{0x1D173, 0x1D17A},
    PointRange{0xE0000, 0xE0FFF}};

bool shows_nothing(char32_t point) {
  return std::any_of(kShowNothing.begin(), kShowNothing.end(), [point](const PointRange& range) {
    return point >= range.first && point <= range.last;
  });
}

constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_base64url_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64UrlAlphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(kBase64UrlAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

std::string format_time(WallTime time, char separator, std::string_view suffix) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 40> buffer{};
  const int written = std::snprintf(
      buffer.data(), buffer.size(), "%04d-%02u-%02u%c%02d:%02d:%02d.%03d",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), separator, static_cast<int>(clock.hours().count()),
      static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
      static_cast<int>(clock.subseconds().count()));
  std::string text(buffer.data(), static_cast<std::size_t>(written));
  text += suffix;
  return text;
}

/// Reads exactly `digits` decimal digits at `at`.
std::optional<int> read_number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::optional<std::size_t> utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    char32_t point = 0;
    const std::size_t length = decode_utf8(text, at, point);
    if (length == 0) return std::nullopt;
    at += length;
  }
  return count;
}

std::optional<std::size_t> find_control_character(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    char32_t point = 0;
    const std::size_t length = decode_utf8(text, at, point);
    if (length == 0) return at;
    const bool control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
    if (control && point != '\n' && point != '\t') return at;
    at += length;
  }
  return std::nullopt;
}

bool is_blank(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    char32_t point = 0;
    const std::size_t length = decode_utf8(text, at, point);
    if (length == 0 || !shows_nothing(point)) return false;
    at += length;
  }
  return true;
}

std::string base64url_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<std::uint8_t>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += kBase64UrlAlphabet[(bits >> held) & 0x3F];
    }
  }
  if (held > 0) text += kBase64UrlAlphabet[(bits << (6 - held)) & 0x3F];
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  static constexpr std::array<std::int8_t, 256> kValues = make_base64url_values();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::int8_t value = kValues[static_cast<std::uint8_t>(c)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held);
    }
  }
  const bool one_char_too_many = held == 6;
  const bool rest = (bits & ((1U << held) - 1U)) != 0;
  if (one_char_too_many || rest) return std::nullopt;
  return bytes;
}

std::string to_rfc3339(WallTime time) { return format_time(time, 'T', "Z"); }

std::string to_sql_timestamp(WallTime time) { return format_time(time, ' ', ""); }

std::optional<WallTime> parse_sql_timestamp(std::string_view text) {
  const auto year = read_number(text, 0, 4);
  const auto month = read_number(text, 5, 2);
  const auto day = read_number(text, 8, 2);
  const auto hour = read_number(text, 11, 2);
  const auto minute = read_number(text, 14, 2);
  const auto second = read_number(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const bool separated =
      text[4] == '-' && text[7] == '-' && text[10] == ' ' && text[13] == ':' && text[16] == ':';
  if (!separated || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  int millis = 0;
  if (text.size() > 19) {
    if (text[19] != '.' || text.size() > 26) return std::nullopt;
    const auto fraction = read_number(text, 20, text.size() - 20);
    if (!fraction || text.size() == 20) return std::nullopt;
    double scaled = *fraction;
    for (std::size_t digits = text.size() - 20; digits > 3; --digits) scaled /= 10;
    for (std::size_t digits = text.size() - 20; digits < 3; ++digits) scaled *= 10;
    millis = static_cast<int>(scaled);
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(*hour) +
                  std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
                  std::chrono::milliseconds(millis));
}

std::optional<WallTime> parse_time(std::string_view text) {
  std::chrono::minutes ahead{0};
  if (text.size() > 6 && (text.back() == 'Z' || text.back() == 'z')) {
    text.remove_suffix(1);
  } else if (text.size() >= 25 && (text[text.size() - 6] == '+' || text[text.size() - 6] == '-')) {
    const auto hours = read_number(text, text.size() - 5, 2);
    const auto minutes = read_number(text, text.size() - 2, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    if (text[text.size() - 6] == '-') ahead = -ahead;
    text.remove_suffix(6);
  }
  std::string sql(text);
  if (sql.size() < 19 || (sql[10] != 'T' && sql[10] != ' ')) return std::nullopt;
  sql[10] = ' ';
  const auto time = parse_sql_timestamp(sql);
  if (!time) return std::nullopt;
  return *time - ahead;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  std::size_t clean_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<std::uint8_t>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, clean_from, i - clean_from);
    clean_from = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        out += "\\u00";
        out += kDigits[static_cast<std::uint8_t>(c) >> 4];
        out += kDigits[static_cast<std::uint8_t>(c) & 0x0F];
    }
  }
  out.append(text, clean_from).push_back('"');
}

}  // namespace notify::base
