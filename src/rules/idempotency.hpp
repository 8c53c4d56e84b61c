#pragma once
// What makes two requests the same (decision D-7): the caller's key or, without one, all fields.

#include <string>

#include "base/digest.hpp"
#include "rules/validation.hpp"

namespace notify::rules {

/// Lifetime of a key: a request is a repeat of one accepted less than this before.
inline constexpr std::chrono::hours kIdempotencyWindow{24};

struct Idempotency {
  std::string caller;        ///< whose key it is: equal keys of two callers are two keys
  base::Digest key{};        ///< of the caller's key or, without one, of the whole request
  base::Digest request{};    ///< of the whole request
  bool is_explicit = false;  ///< the caller gave the key
};

/// All fields of a request but its key, in one text: equal for equal requests, and only for them,
/// in whatever order its maps came.
[[nodiscard]] std::string canonical_request(const SendRequest& request);

}  // namespace notify::rules
