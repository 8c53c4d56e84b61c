#pragma once
// What a provider's answer means, whatever the provider: the vocabulary between the transport and
// the decision to try again.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace notify::rules {

/// Source: the table of each push service, of rules/meaning.hpp.
enum class OutcomeKind : std::uint8_t {
  accepted = 1,     ///< the provider took it
  token_gone,       ///< the address is dead: never use it again, tell auth-service
  rejected,         ///< this notification will never be accepted: our or the caller's mistake
  retry_later,      ///< not now
  bad_credentials,  ///< our key or configuration is refused: retry later, alarm an operator
  unknown,          ///< no answer: it may have been taken
  not_processed,    ///< the provider certainly did not get it: as if it had not been tried
};

[[nodiscard]] constexpr std::string_view name(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::accepted: return "accepted";
    case OutcomeKind::token_gone: return "token_gone";
    case OutcomeKind::rejected: return "rejected";
    case OutcomeKind::retry_later: return "retry_later";
    case OutcomeKind::bad_credentials: return "bad_credentials";
    case OutcomeKind::unknown: return "unknown";
    case OutcomeKind::not_processed: return "not_processed";
  }
  return "?";
}

struct Outcome {
  OutcomeKind kind = OutcomeKind::unknown;
  std::string code;     ///< "410 Unregistered", "timeout": for error_code, at most 50 characters
  std::string message;  ///< what it means, for people
  std::optional<std::chrono::seconds> retry_after;  ///< the provider's own wish
  std::chrono::seconds retry_min{0};  ///< without such a wish, the shortest wait that it asks for
  std::optional<base::WallTime> invalid_since;  ///< with token_gone, if the provider says so
  bool was_asked = true;                        ///< false: nothing was sent to a provider
  bool is_of_server = false;  ///< with retry_later: its server refuses, whoever it is for
};

}  // namespace notify::rules
