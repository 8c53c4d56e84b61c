#pragma once
// The target of a request (RFC 9110 §7.1) in its parts, decoded.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace notify::edges::rest {

struct Target {
  std::vector<std::string> segments;                       ///< of the path: "/a/b" has two
  std::vector<std::pair<std::string, std::string>> query;  ///< in order; a name may repeat
};

/// nullopt for what is not an absolute path, for a wrong percent escape, and if what is decoded is
/// not UTF-8 or holds a NUL. In a query '+' is a blank (as forms send it).
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

}  // namespace notify::edges::rest
