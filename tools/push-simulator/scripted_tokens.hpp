#pragma once
// Device tokens that say themselves what is to happen to a push: a fault in the token, for clients
// that have no access to the control port. README.md has the form.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "push-simulator/faults.hpp"

namespace notify::simulator {

/// Such a token is one of a registered device, whoever asks.
[[nodiscard]] bool is_script(std::string_view token);

/// The fault in it. Errors: invalid, with the mistake in words; also for other tokens.
[[nodiscard]] base::Expected<Fault> parse_script(FaultTarget target, std::string_view token);

/// Counts how often the fault of each token has applied.
/// Threading: one thread.
/// Limits:    kMaxTokens tokens; then all begin anew.
class ScriptedTokens {
 public:
  static constexpr std::size_t kMaxTokens = 10'000;

  /// The fault that applies to this push; a script that cannot be read is answered with a 400.
  [[nodiscard]] std::optional<Fault> take(FaultTarget target, std::string_view token);

 private:
  std::unordered_map<std::string, std::int64_t> used_;
};

}  // namespace notify::simulator
