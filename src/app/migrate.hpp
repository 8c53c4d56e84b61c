#pragma once
// `migrate`: brings the schema up to this version by sqitch, which records what it did in the
// database. Several nodes may run it at once: a session lock lets one work while the others wait.

#include <string>

#include "base/expected.hpp"
#include "config/config.hpp"

namespace notify::app {

/// `postgresql://user:password@host/db?x=y` as sqitch wants it, `db:pg://user@host/db?x=y`. The
/// password is left out: it goes to sqitch through the environment, not into the process list.
struct SqitchTarget {
  std::string uri;
  std::string password;
};
[[nodiscard]] base::Expected<SqitchTarget> sqitch_target(std::string_view postgres_url);

/// `plan_directory` holds sqitch.plan. sqitch's output goes to ours.
/// Threading: blocks.
/// Errors:    unavailable if the database cannot be reached; invalid if sqitch fails or is missing.
[[nodiscard]] base::Expected<void> migrate(const config::Config& config,
                                           const std::string& plan_directory);

}  // namespace notify::app
