#pragma once
// Judges a push service's answer: does it concern the subscription, our keys, or the moment?
// Source: RFC 8030 §5, §7.3; RFC 8292 §4; Mozilla autopush (errors), Apple "Sending web push
//         notifications in web apps and browsers", Microsoft "WNS response codes".

#include <span>
#include <string>
#include <string_view>

#include "rules/meaning.hpp"

namespace notify::rules {

/// The parts of a response that matter.
struct WebPushResponse {
  int status = 0;
  std::string_view body;
  std::string_view retry_after;
  std::string_view wns_error;  ///< x-wns-error-description, of Microsoft's service
};

/// The reason that a vendor gives: Apple's `reason`, Mozilla's `errno 106`, Microsoft's header; at
/// most 40 letters, digits and spaces. Empty if there is none.
[[nodiscard]] std::string web_push_reason(const WebPushResponse& response);

/// The table.
[[nodiscard]] std::span<const Meaning> web_push_answers();

/// The token is given up only on a word about this subscription: 404, 410, or that it was made with
/// another VAPID key. A redirect is refused: it is an answer like any other.
[[nodiscard]] Outcome web_push_outcome(const WebPushResponse& response, base::WallTime now);

}  // namespace notify::rules
