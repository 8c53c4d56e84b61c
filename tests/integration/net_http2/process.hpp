#pragma once
// A program that runs for the length of a test.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace notify::http2 {

class Process {
 public:
  /// Its output is thrown away. Throws if it cannot be started.
  explicit Process(const std::vector<std::string>& arguments);
  ~Process();  ///< kills it and waits
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

 private:
  pid_t pid_ = -1;
};

/// A port on which nothing listened a moment ago.
[[nodiscard]] std::uint16_t free_port();

}  // namespace notify::http2
