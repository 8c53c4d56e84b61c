#pragma once
// The generated part of docs/PROVIDERS.md.

#include <string>

namespace notify::rules {

/// The outcome tables of all push services, and that of the transport's faults.
[[nodiscard]] std::string providers_markdown();

}  // namespace notify::rules
