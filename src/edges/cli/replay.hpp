#pragma once
// `replay`: has dead letters sent again by a running service. It is the service that does it:
// without it nothing would be delivered, and so there is one implementation, one pace and one
// audit.

#include "edges/cli/dead_letters.hpp"

namespace notify::edges {

struct ReplayOptions {
  DeadLetterOptions letters;
  bool dry_run = false;
  std::string extend;              ///< a duration; empty: what has expired is left alone
  std::int32_t rate = 200;         ///< a second
  std::string actor;               ///< for the audit
  std::string reason;              ///< for the audit
  bool yes = false;                ///< do not ask
  std::chrono::hours timeout{24};  ///< of the whole job
};

/// Counts first and asks, unless `yes` or a dry run; then replays, with a line of progress a
/// second. Threading: blocks the calling thread. Errors:    Errc::invalid: an option. cancelled:
/// the answer was no. Else the service's answer; what
///            had been replayed before was said, and running it again does the rest.
[[nodiscard]] base::Expected<void> replay(const ReplayOptions& options, const Say& say,
                                          const std::function<bool()>& confirm);

}  // namespace notify::edges
