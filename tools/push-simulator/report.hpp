#pragma once
// The simulator's only messages to a person: on standard error.

#include <iostream>
#include <string_view>

namespace notify::simulator {

/// For TaskGroup: an exception nobody handled is a bug of the simulator.
inline void report_escape(std::string_view what) {
  std::cerr << "push-simulator: internal error: " << what << std::endl;
}

}  // namespace notify::simulator
