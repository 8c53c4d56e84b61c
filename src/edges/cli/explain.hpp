#pragma once
// `explain <id>`: the story of one notification as a timeline, from PostgreSQL alone, for the
// person who is asked why a notification did not come.

#include <string>

#include "stores/history.hpp"

namespace notify::edges {

/// Title, body and data are not shown: the reader needs to know what happened, not what was said.
[[nodiscard]] std::string explain(const stores::Story& story, base::WallTime now);

/// One line of a list: when, which, what kind, and where it stands.
[[nodiscard]] std::string summary(const stores::HistoryRecord& record);

}  // namespace notify::edges
