#pragma once
// What is wrong with a configuration, said so that the reader knows where to go and what to write.

#include <string>
#include <vector>

namespace notify::config {

/// Limits: never holds a value that could be a secret.
struct Problem {
  std::string where;  ///< `file:line:column`, `env NAME`, or `default`
  std::string what;
  std::string hint;  ///< what to do; may be empty

  friend bool operator==(const Problem&, const Problem&) = default;
};

using Problems = std::vector<Problem>;

/// `where: what (hint)`.
[[nodiscard]] std::string to_string(const Problem& problem);

}  // namespace notify::config
