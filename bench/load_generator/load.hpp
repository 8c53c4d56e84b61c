#pragma once
// The two ways to send: a call for each request (unary, or a batch in each), and streams that stay
// open. Both run on one thread and one completion queue, and return the run as JSON.

#include <string>

#include "base/clock.hpp"
#include "load_generator/options.hpp"

namespace notify::bench {

[[nodiscard]] std::string run_calls(const LoadOptions& options, const base::Clock& clock);
[[nodiscard]] std::string run_streams(const LoadOptions& options, const base::Clock& clock);

}  // namespace notify::bench
