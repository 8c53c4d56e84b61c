#pragma once
// A decision in plain words: which rule decided, by which setting, and what would have happened
// otherwise.

#include <string>

#include "rules/decision.hpp"

namespace notify::edges {

[[nodiscard]] std::string tell(const rules::Circumstances& facts, const rules::Decision& decision);

}  // namespace notify::edges
