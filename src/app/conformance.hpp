#pragma once
// `notification-service conformance`: plays every answer and every fault of the push services
// against this service's own providers, and tells what they did.

#include <functional>

#include "app/conformance_player.hpp"

namespace notify::app {

/// Plays all cases of each service in `targets`, one after the other.
/// Threading: blocks the calling thread. `on_result` runs on it, once a case.
/// Errors:    Errc::invalid for a target that cannot be used; Errc::unavailable for one that plays
///            no scripts.
[[nodiscard]] base::Expected<void> play_conformance(
    const config::Config& config, const ConformanceTargets& targets,
    const std::function<void(const ConformanceResult&)>& on_result);

/// Errors: Errc::invalid unless each of `texts` is SERVICE=https://host:port, each service once.
[[nodiscard]] base::Expected<ConformanceTargets> parse_targets(
    const std::vector<std::string>& texts);

/// A line for people.
[[nodiscard]] std::string line_of(const ConformanceResult& result);

/// Prints a line a case to standard output. Returns the exit status: 0; 1 if a case differs or it
/// failed; 2 for bad targets.
[[nodiscard]] int conformance(const config::Config& config, const ConformanceTargets& targets);

}  // namespace notify::app
