#pragma once
// `notification-service explain`: what happened to a notification, or would happen.

#include <string>

#include "config/config.hpp"

namespace notify::app {

/// Exactly one of `id`, `user` and `what_if` is set.
struct ExplainOptions {
  std::string id;
  std::string user;
  std::string since = "24h";  ///< with `user`: "1h", or an instant
  std::string what_if;        ///< a file of JSON lines; "-": standard input
  bool as_json = false;       ///< with `what_if`
};

/// Prints to standard output, and errors to standard error. Returns the exit status: 0; 1 if it
/// failed; 2 for bad arguments or, with `what_if`, bad lines.
[[nodiscard]] int explain(const config::Config& config, const ExplainOptions& options);

}  // namespace notify::app
