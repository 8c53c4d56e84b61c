#pragma once
// What gRPC itself costs: the service's API, on one completion queue, with handlers that answer at
// once and do nothing.

#include "load_generator/options.hpp"

namespace notify::bench {

/// Prints the port on a line, then serves until SIGTERM or SIGINT.
/// Errors: throws std::runtime_error if the address cannot be bound.
void serve_empty(const EmptyServerOptions& options);

}  // namespace notify::bench
