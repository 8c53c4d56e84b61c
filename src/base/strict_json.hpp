#pragma once
// JSON from people we do not trust. RFC 8259 leaves open what a name that stands twice means, and
// readers differ: one checks the first, another obeys the second. Here such a text is refused, as
// is one that is nested so deep that walking it could end the stack.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace notify::base {

/// Errors: Errc::invalid for what is not one JSON text in UTF-8, for a name that stands twice in an
///         object and for arrays and objects nested deeper than `depth_max`; the detail quotes
///         nothing of the text.
/// Source: RFC 8259 §4; RFC 7515 §4 and RFC 7519 §4 (duplicates in tokens must be refused).
[[nodiscard]] Expected<nlohmann::json> parse_strict_json(std::string_view text, int depth_max);

}  // namespace notify::base
