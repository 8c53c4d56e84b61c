#include "telemetry/log_limiter.hpp"

namespace notify::telemetry {

LogLimiter::Window& LogLimiter::window_of(std::string_view key, base::SteadyTime now) {
  std::string owned(key);
  const auto found = windows_.find(owned);
  if (found != windows_.end()) return found->second;
  if (windows_.size() >= kKeysMax) {
    std::erase_if(windows_, [now](const auto& entry) {
      return entry.second.suppressed == 0 && now - entry.second.begin >= std::chrono::seconds(1);
    });
    if (windows_.size() >= kKeysMax) owned = "(other messages)";
  }
  return windows_.try_emplace(std::move(owned), Window{now, 0, 0}).first->second;
}

LogLimiter::Verdict LogLimiter::ask(std::string_view key, base::SteadyTime now) {
  if (per_second_ == 0) return {};
  Window& window = window_of(key, now);
  if (now - window.begin >= std::chrono::seconds(1)) {
    window.begin = now;
    window.written = 0;
  }
  if (window.written >= per_second_) {
    ++window.suppressed;
    return {.write = false, .suppressed = 0};
  }
  ++window.written;
  return {.write = true, .suppressed = std::exchange(window.suppressed, 0)};
}

std::vector<LogLimiter::Rest> LogLimiter::take_rest() {
  std::vector<Rest> rest;
  for (auto& [key, window] : windows_) {
    if (window.suppressed != 0) rest.push_back({key, std::exchange(window.suppressed, 0)});
  }
  return rest;
}

}  // namespace notify::telemetry
