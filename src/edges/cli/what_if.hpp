#pragma once
// `explain --what-if`: what would be decided about notifications that do not exist. Nothing is
// sent, stored or looked up: JSON lines in, an answer for each out.

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "rules/decision.hpp"
#include "rules/validation.hpp"

namespace notify::edges {

struct WhatIfOptions {
  bool as_json = false;
  rules::TypePolicy types;
  rules::ExpiryPolicy expiry;  ///< of a notification that says nothing of it
};

/// Each line is `{"notification": {..}, "user_settings": {..}, "conversation_settings": {..},
/// "now": ".."}`; the first three by the names of their tables' columns, all of it optional: what
/// is missing is as if it had never been set, and `now` is now. Columns that are JSON may be given
/// as objects or as text. Empty lines are passed over. A line of JSON out: {"verdict", "until",
/// "reasons"}, or {"error"}. Returns how many lines were wrong.
[[nodiscard]] std::size_t what_if(std::istream& in, std::ostream& out, const base::Clock& clock,
                                  const WhatIfOptions& options);

}  // namespace notify::edges
