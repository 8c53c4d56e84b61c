#include "edges/rest/target.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace notify::edges::rest {
namespace {

enum class Plus { plus, blank };

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus == Plus::blank ? ' ' : text[i];
    }
  }
  const bool is_text = base::utf8_length(decoded) && decoded.find('\0') == decoded.npos;
  return is_text ? std::optional(std::move(decoded)) : std::nullopt;
}

/// Calls `take` with each part between separators; false as soon as one is refused.
template <class Take>
bool for_each_part(std::string_view text, char separator, Take&& take) {
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (!take(text.substr(0, end))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  const std::size_t question = std::min(target.find('?'), target.size());
  Target parsed;
  const bool path = for_each_part(target.substr(1, question - 1), '/', [&](std::string_view part) {
    auto segment = decode(part, Plus::plus);
    if (segment) parsed.segments.push_back(std::move(*segment));
    return segment.has_value();
  });
  if (!path) return std::nullopt;
  if (question == target.size()) return parsed;
  const bool query = for_each_part(target.substr(question + 1), '&', [&](std::string_view part) {
    if (part.empty()) return true;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = decode(part.substr(0, equals), Plus::blank);
    auto value = decode(part.substr(std::min(equals + 1, part.size())), Plus::blank);
    if (name && value) parsed.query.emplace_back(std::move(*name), std::move(*value));
    return name && value;
  });
  if (!query) return std::nullopt;
  return parsed;
}

}  // namespace notify::edges::rest
