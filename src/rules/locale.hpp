#pragma once
// Languages as BCP 47 names them, and what to show a reader whose language a text does not exist
// in.

#include <optional>
#include <string>
#include <string_view>

namespace notify::rules {

/// `tag` in the one form in which tags are compared: lower case, with '-' for '_' (phones say
/// "fr_CA"). Unset if it is not of the form: a language of 2 to 8 letters, then subtags of 1 to 8
/// letters and digits; at most 35 bytes, which is what RFC 5646 §4.4.1 recommends to allow for.
[[nodiscard]] std::optional<std::string> normalize_locale(std::string_view tag);

/// Well-formed, and nothing more than language, script, region and variants (RFC 5646 §2.1), in
/// whatever case: what a text may be stored under. "fr", "fr-CA", "zh-Hant-TW", "es-419".
[[nodiscard]] bool is_locale_of_text(std::string_view tag);

/// The next one to look for: "zh-hant-tw" → "zh-hant" → "zh" → "" (RFC 4647 §3.4, "Lookup").
/// `tag` is normalized.
[[nodiscard]] std::string_view broader_locale(std::string_view tag);

}  // namespace notify::rules
