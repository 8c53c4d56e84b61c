#pragma once
// Makes the clients of push services, those that are configured.

#include <memory>
#include <vector>

#include "config/config.hpp"
#include "providers/provider.hpp"
#include "providers/surroundings.hpp"

namespace notify::app {

/// They connect to nothing yet.
/// Errors: Errc::invalid for settings that cannot be used.
[[nodiscard]] base::Expected<std::vector<std::unique_ptr<providers::Provider>>> make_providers(
    const config::Config& config, const providers::Surroundings& around);

}  // namespace notify::app
