#pragma once
// What is running.

#include <string_view>

namespace notify::edges::http {

struct Version {
  std::string_view version;
  std::string_view revision;  ///< of git; "unknown" if the build was not told
  std::string_view build_type;
  std::string_view compiler;
};

[[nodiscard]] Version this_build();

}  // namespace notify::edges::http
