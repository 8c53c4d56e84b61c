#include "rules/locale.hpp"

#include <algorithm>
#include <vector>

namespace notify::rules {
namespace {

constexpr std::size_t kTagMax = 35;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_letters(std::string_view text) { return std::all_of(text.begin(), text.end(), is_letter); }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }
bool is_alphanumeric(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

std::vector<std::string_view> split(std::string_view tag) {
  std::vector<std::string_view> subtags;
  for (;;) {
    const std::size_t end = tag.find('-');
    subtags.push_back(tag.substr(0, end));
    if (end == std::string_view::npos) return subtags;
    tag.remove_prefix(end + 1);
  }
}

bool is_language(std::string_view subtag) {
  return subtag.size() >= 2 && subtag.size() <= 8 && all_letters(subtag);
}
bool is_script(std::string_view subtag) { return subtag.size() == 4 && all_letters(subtag); }
bool is_region(std::string_view subtag) {
  return (subtag.size() == 2 && all_letters(subtag)) || (subtag.size() == 3 && all_digits(subtag));
}
bool is_variant(std::string_view subtag) {
  return is_alphanumeric(subtag) && ((subtag.size() >= 5 && subtag.size() <= 8) ||
                                     (subtag.size() == 4 && is_digit(subtag.front())));
}

}  // namespace

std::optional<std::string> normalize_locale(std::string_view tag) {
  if (tag.size() > kTagMax) return std::nullopt;
  std::string normal(tag);
  for (char& c : normal) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const std::vector<std::string_view> subtags = split(normal);
  const bool well_formed =
      is_language(subtags.front()) &&
      std::all_of(subtags.begin(), subtags.end(), [](std::string_view subtag) {
        return !subtag.empty() && subtag.size() <= 8 && is_alphanumeric(subtag);
      });
  return well_formed ? std::optional(std::move(normal)) : std::nullopt;
}

bool is_locale_of_text(std::string_view tag) {
  if (tag.size() > kTagMax) return false;
  const std::vector<std::string_view> subtags = split(tag);
  auto at = subtags.begin();
  if (!is_language(*at++)) return false;
  if (at != subtags.end() && is_script(*at)) ++at;
  if (at != subtags.end() && is_region(*at)) ++at;
  return std::all_of(at, subtags.end(), is_variant);
}

std::string_view broader_locale(std::string_view tag) {
  const std::size_t last = tag.rfind('-');
  if (last == std::string_view::npos) return {};
  tag = tag.substr(0, last);
  // A singleton ("x", "u") says nothing without what follows it.
  if (tag.size() >= 2 && tag[tag.size() - 2] == '-') tag.remove_suffix(2);
  return tag;
}

}  // namespace notify::rules
