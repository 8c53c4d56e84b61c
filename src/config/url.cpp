#include <algorithm>

#include "config/types.hpp"

namespace notify::config {
namespace {

constexpr std::string_view kMask = "***";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

/// Masks the values of query parameters such as libpq's `password` and `sslpassword`.
void mask_query(std::string& text, std::size_t begin) {
  while (begin < text.size()) {
    std::size_t end = std::min(text.find('&', begin), text.size());
    const std::size_t equals = text.find('=', begin);
    if (equals < end) {
      const std::string name = lower(std::string_view(text).substr(begin, equals - begin));
      const bool secret = name.find("pass") != name.npos || name.find("secret") != name.npos ||
                          name.find("token") != name.npos || name.find("key") == 0;
      if (secret) {
        text.replace(equals + 1, end - equals - 1, kMask);
        end = equals + 1 + kMask.size();
      }
    }
    begin = end + 1;
  }
}

}  // namespace

std::string Url::scheme() const {
  const std::string_view text = reveal();
  const std::size_t end = text.find("://");
  if (end == text.npos || end == 0) return "";
  const std::string scheme = lower(text.substr(0, end));
  const bool valid = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
  return valid ? scheme : "";
}

std::string Url::masked() const {
  std::string text(reveal());
  const std::size_t scheme_end = text.find("://");
  const std::size_t authority = scheme_end == text.npos ? 0 : scheme_end + 3;
  // The last @ of the whole text counts: a password that should have been percent-encoded must not
  // be shown because it was not.
  const std::size_t at = text.rfind('@');
  const std::size_t colon = text.find(':', authority);
  std::size_t rest = authority;
  if (at != text.npos && colon < at) {
    text.replace(colon + 1, at - colon - 1, kMask);
    rest = colon + 1 + kMask.size();
  }
  const std::size_t query = text.find('?', rest);
  if (query != text.npos) mask_query(text, query + 1);
  return text;
}

}  // namespace notify::config
