#pragma once
// From a file and the environment to a Config: called once, at start.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"

namespace notify::config {

using Environment = std::map<std::string, std::string>;

struct LoadOptions {
  std::optional<FilePath> file;
  Environment environment;
  /// Names with NOTIFY_ that are not settings but mean something to the program.
  std::vector<std::string> other_names;
  std::string host_name;  ///< for service.node_name; empty: asked of the system
};

/// Defaults, then the file, then the environment; the later wins.
/// Errors: all problems at once. What only shows with several values together is check()'s.
[[nodiscard]] base::Expected<Config, Problems> load(const LoadOptions& options);

/// The environment of this process. Threading: as long as nobody changes the environment.
[[nodiscard]] Environment process_environment();

/// What is wrong with a Config whose values are each right: contradictions, and files that are not
/// there. All problems at once; empty if none. Reads the file system.
[[nodiscard]] Problems check(const Config& config);

}  // namespace notify::config
