#pragma once
// The command line of `dead-letters` and `replay`.

#include <CLI/CLI.hpp>

#include "edges/cli/replay.hpp"

namespace notify::edges {

/// Lifetime: `cli` refers to this while it parses.
class AdminCommands {
 public:
  /// Adds the commands.
  explicit AdminCommands(CLI::App& cli);
  AdminCommands(const AdminCommands&) = delete;
  AdminCommands& operator=(const AdminCommands&) = delete;

  /// Whether one of them was given.
  [[nodiscard]] bool parsed() const;
  /// Runs it, on the standard streams.
  /// Errors: Errc::invalid for an option that cannot be read: wrong usage. Else: it failed.
  [[nodiscard]] base::Expected<void> run() const;

 private:
  ReplayOptions options_;
  CLI::App* list_;
  CLI::App* show_;
  CLI::App* replay_;
};

}  // namespace notify::edges
