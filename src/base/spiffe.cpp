#include "base/spiffe.hpp"

#include <algorithm>

namespace notify::base {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_mark(char c) { return c == '-' || c == '.' || c == '_'; }

bool is_trust_domain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_lower_or_digit(c) || is_mark(c); });
}

bool is_segment(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_lower_or_digit(c) || is_mark(c) || (c >= 'A' && c <= 'Z');
         });
}

}  // namespace

bool is_spiffe_id(std::string_view text) {
  constexpr std::string_view kScheme = "spiffe://";
  if (text.size() > kSpiffeIdMax || !text.starts_with(kScheme)) return false;
  text.remove_prefix(kScheme.size());
  std::size_t end = text.find('/');
  if (end == std::string_view::npos || !is_trust_domain(text.substr(0, end))) return false;
  while (end != std::string_view::npos) {
    text.remove_prefix(end + 1);
    end = text.find('/');
    if (!is_segment(text.substr(0, end))) return false;
  }
  return true;
}

}  // namespace notify::base
