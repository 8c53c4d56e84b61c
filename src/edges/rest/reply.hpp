#pragma once
// An answer in HTTP, without how it is sent; and how errors become answers. Code, message and
// details are those of gRPC (edges/grpc/status.hpp), as in Google's APIs:
//   {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "...", "details": [...]}}

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flows/request_limiting.hpp"

namespace notify::edges::rest {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Reply {
  unsigned status = 200;
  std::string body;  ///< JSON; empty: none
  Headers headers;
};

/// With WWW-Authenticate or Retry-After where the status asks for one.
[[nodiscard]] Reply to_reply(const flows::Refusal& refusal);

/// How somebody stands with their limit: RateLimit-Limit, -Remaining and -Reset (in seconds).
/// Source: draft-ietf-httpapi-ratelimit-headers-07, the last with a header for each.
[[nodiscard]] Headers quota_headers(const flows::RequestStanding& standing);

/// What has no word in gRPC: a path, a verb, a header, a size. `reason` is stable, as in
/// google.rpc.ErrorInfo. 408 is DEADLINE_EXCEEDED, 404 NOT_FOUND, the others INVALID_ARGUMENT.
[[nodiscard]] Reply http_error(unsigned status, std::string_view reason, std::string message);

/// 401 for a token that is refused, saying why (RFC 6750 §3), or for none (`why` empty).
[[nodiscard]] Reply unauthorized(std::string_view why);

}  // namespace notify::edges::rest
