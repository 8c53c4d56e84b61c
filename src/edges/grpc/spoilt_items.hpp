#pragma once
// Says what is wrong with items of a request that cannot be read, while the others can.

#include <cstddef>
#include <map>

#include "rules/validation.hpp"

namespace notify::edges {

/// By the item's place in the request, counted from 0.
using SpoiltItems = std::map<std::size_t, rules::Violations>;

}  // namespace notify::edges
