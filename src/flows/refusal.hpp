#pragma once
// Why a flow did not do what was asked: what an edge needs to answer its caller well.

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/expected.hpp"
#include "rules/limits.hpp"
#include "rules/validation.hpp"

namespace notify::flows {

/// What an error is about, where its code does not tell.
enum class Subject : std::uint8_t { notification, message_template };

struct Refusal {
  base::Error error;
  rules::Violations violations;  ///< with Errc::invalid, or permission_denied of a value
  std::optional<std::chrono::milliseconds> retry_after;  ///< with overloaded and unavailable
  Subject subject = Subject::notification;
  std::optional<rules::LimitReached> limit{};  ///< with overloaded, if it is one of the caller's or
                                               ///< the user's
};

template <class T>
using Answer = base::Expected<T, Refusal>;

[[nodiscard]] inline base::Unexpected<Refusal> refuse(base::Error error) {
  std::optional<std::chrono::milliseconds> retry_after;
  if (error.code == base::Errc::overloaded || error.code == base::Errc::unavailable) {
    retry_after = std::chrono::seconds(1);
  }
  return base::Unexpected<Refusal>(Refusal{std::move(error), {}, retry_after});
}

[[nodiscard]] inline base::Unexpected<Refusal> refuse(rules::Violations violations) {
  return base::Unexpected<Refusal>(
      Refusal{{base::Errc::invalid, "the request has invalid fields"}, std::move(violations), {}});
}

}  // namespace notify::flows
