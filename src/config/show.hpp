#pragma once
// A Config and its field table, written for people.

#include <string>

#include "config/config.hpp"

namespace notify::config {

/// The effective configuration as YAML that load() reads; each line ends with where its value came
/// from. Secrets and passwords are `***`, so it may be shown, mailed and logged.
[[nodiscard]] std::string show(const Config& config);

/// The reference of all settings as Markdown tables, one a section: the generated part of
/// docs/CONFIGURATION.md.
[[nodiscard]] std::string reference_markdown();

}  // namespace notify::config
