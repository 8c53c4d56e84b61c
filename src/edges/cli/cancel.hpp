#pragma once
// `cancel`: takes notifications back through a running service, as any caller would.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/expected.hpp"
#include "edges/cli/call.hpp"

namespace notify::edges {

struct CancelOptions {
  ServiceAddress service;
  std::string notification_id;  ///< empty: by the others
  std::string user_id;
  std::string message_id;
  std::string conversation_id;
  std::string up_to_message_id;
  bool remove_shown = false;
  std::optional<std::int32_t> badge;
  std::chrono::milliseconds timeout{10'000};
};

/// --user and the rest, with what excludes what.
/// Lifetime: `options` outlives the command.
void add_cancel_options(CLI::App* command, CancelOptions& options);

/// Returns what came of it, in lines for people.
/// Threading: blocks the calling thread.
/// Errors:    the service's answer, with every field it refused.
[[nodiscard]] base::Expected<std::string> cancel(const CancelOptions& options);

}  // namespace notify::edges
