#pragma once
// The text of one log line. Whatever the values are, it is one line, and valid JSON if it is to be.

#include <string>
#include <string_view>

#include "telemetry/log.hpp"

namespace notify::telemetry {

struct LogEvent {
  base::WallTime time;
  Level level = Level::info;
  std::string_view message;
  std::string_view component;
  std::string_view node;
  std::string_view trace_id;
  std::uint64_t suppressed = 0;
};

[[nodiscard]] std::string json_line(const LogEvent& event, LogFields fields);
[[nodiscard]] std::string text_line(const LogEvent& event, LogFields fields);

}  // namespace notify::telemetry
