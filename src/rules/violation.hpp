#pragma once
// What is wrong with something that a caller sent.

#include <string>
#include <vector>

namespace notify::rules {

/// One wrong field: its path, what is wrong and what would be right. Never quotes a value of a text
/// field: errors reach logs.
struct Violation {
  std::string field;
  std::string description;

  friend bool operator==(const Violation&, const Violation&) = default;
};
using Violations = std::vector<Violation>;

}  // namespace notify::rules
