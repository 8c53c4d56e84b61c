#pragma once
// Bytes as text for people and URLs.

#include <string>
#include <string_view>

namespace notify::base {

/// Two lower-case hexadecimal digits for each byte (RFC 4648 §8).
[[nodiscard]] inline std::string hex_encode(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}

}  // namespace notify::base
