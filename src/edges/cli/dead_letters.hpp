#pragma once
// `dead-letters list` and `dead-letters show`: what failed, asked of a running service.

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/expected.hpp"
#include "edges/cli/call.hpp"

namespace notification {
class DeadLetterFilter;
}

namespace notify::edges {

/// Which dead letters, as people type it. Empty: does not matter.
struct DeadLetterOptions {
  ServiceAddress service;
  std::string from;
  std::string to;
  std::string provider;
  std::string error_code;
  std::string user_id;
  std::string type;
  std::string notification_id;
  std::int32_t limit = 50;                    ///< of a list
  std::chrono::milliseconds timeout{15'000};  ///< of one call
};

/// A line for people, without its newline.
using Say = std::function<void(const std::string& line)>;

/// "1 dead letter", "2 dead letters".
[[nodiscard]] std::string count_text(std::int64_t count, const std::string& thing);

/// Errors: Errc::invalid for a time that cannot be read.
[[nodiscard]] base::Expected<void> fill(const DeadLetterOptions& options, base::WallTime now,
                                        notification::DeadLetterFilter& filter);

/// One line for each, oldest first, and a line with how many there were.
/// Threading: blocks the calling thread.
/// Errors:    Errc::invalid: an option. Else the service's answer, with every field it refused.
[[nodiscard]] base::Expected<void> list_dead_letters(const DeadLetterOptions& options,
                                                     const Say& say);

/// One with its attempts and replays, and how to replay it.
[[nodiscard]] base::Expected<void> show_dead_letter(const DeadLetterOptions& options,
                                                    const Say& say);

}  // namespace notify::edges
