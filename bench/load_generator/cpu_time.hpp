#pragma once
// What this process has cost so far.

#include <sys/resource.h>

namespace notify::bench {

/// Seconds of processor time, user and system together.
[[nodiscard]] inline double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace notify::bench
