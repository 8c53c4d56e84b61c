#pragma once
// What went wrong, named by what the receiver of the error can do about it.

#include <cstdint>
#include <string>
#include <string_view>

namespace notify::base {

/// Starts at 1, so that a code that was never set is not an answer.
enum class Errc : std::uint8_t {
  invalid = 1,        ///< the input is wrong: correct it, do not repeat it
  not_found,          ///< there is no such thing
  conflict,           ///< somebody else's change got there first: read again, then decide
  already_exists,     ///< the name is taken by something else
  unauthenticated,    ///< credentials are missing or refused
  permission_denied,  ///< known, but not allowed
  overloaded,         ///< a bound was reached: come back later
  unavailable,        ///< a dependency does not answer: retry
  timed_out,          ///< the deadline passed; the effect may have happened
  cancelled,          ///< we were told to stop
  corrupt,            ///< stored or received data contradicts itself: a person must look
  internal,           ///< our own mistake
};

[[nodiscard]] constexpr std::string_view name(Errc code) {
  switch (code) {
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::already_exists: return "already_exists";
    case Errc::unauthenticated: return "unauthenticated";
    case Errc::permission_denied: return "permission_denied";
    case Errc::overloaded: return "overloaded";
    case Errc::unavailable: return "unavailable";
    case Errc::timed_out: return "timed_out";
    case Errc::cancelled: return "cancelled";
    case Errc::corrupt: return "corrupt";
    case Errc::internal: return "internal";
  }
  return "unknown";
}

/// `detail` is for logs and operators: it says what and where, is never parsed, and never holds
/// a token, a title or a body.
struct Error {
  Errc code = Errc::internal;
  std::string detail;
};

}  // namespace notify::base
