#pragma once
// `serve`: the service itself, from reading the configuration to the last acknowledged lease.

#include <optional>
#include <string>

#include "config/config.hpp"

namespace notify::app {

/// Runs until SIGTERM or SIGINT, then drains within shutdown.timeout. Returns the exit status.
/// `ports_file`: where to write the ports that were bound, as JSON, once the service is up.
[[nodiscard]] int serve(const config::Config& config, const std::optional<std::string>& ports_file);

}  // namespace notify::app
