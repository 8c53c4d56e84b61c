#pragma once
// Small text facts used at every edge: UTF-8 validity, control characters, base64url, RFC 3339.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace notify::base {

/// Counts the code points of valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
/// Errors: nullopt if the text is not valid UTF-8.
[[nodiscard]] std::optional<std::size_t> utf8_length(std::string_view text);

/// The offset of the first control character (U+0000–U+001F, U+007F–U+009F) other than newline and
/// tab; nullopt if there is none. The text must be valid UTF-8.
[[nodiscard]] std::optional<std::size_t> find_control_character(std::string_view text);

/// Whether nothing of the text can be seen: it is empty, or has only white space, characters
/// without width and control characters. False if it is not valid UTF-8.
[[nodiscard]] bool is_blank(std::string_view text);

/// base64url without padding (RFC 4648 §5), the form of JOSE and Web Push.
[[nodiscard]] std::string base64url_encode(std::string_view bytes);
/// Accepts padding; nullopt on any character outside the alphabet or a non-zero rest.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

/// `2026-11-22T23:54:25.123Z`.
[[nodiscard]] std::string to_rfc3339(WallTime time);
/// PostgreSQL's `timestamp` in UTC: `2026-11-22 23:54:25.123` (and back, with 0–6 digits).
[[nodiscard]] std::string to_sql_timestamp(WallTime time);
[[nodiscard]] std::optional<WallTime> parse_sql_timestamp(std::string_view text);
/// Either of these forms, RFC 3339 also with an offset; without one it is UTC.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

/// Appends `text` as a JSON string literal with its quotes (RFC 8259 §7). The text must be valid
/// UTF-8; no other escapes than needed, so that equal texts give equal bytes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace notify::base
