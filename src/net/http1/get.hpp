#pragma once
// One GET over HTTP/1.1 on a connection of its own: for small documents that are fetched now and
// then, as a set of keys or a token. Where many requests go to one peer, http2::Pool is the way.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/task.hpp"
#include "base/async/timers.hpp"
#include "base/expected.hpp"
#include "net/tls/context.hpp"
#include "net/tls/transport.hpp"

namespace notify::http1 {

struct Url {
  bool tls = true;
  net::Endpoint endpoint;
  std::string authority;  ///< host[:port] as it was written
  std::string target;     ///< path and query
};

/// Errors: Errc::invalid for what is no http or https URL; it must not carry a user or a password.
[[nodiscard]] base::Expected<Url> parse_url(std::string_view text);

struct GetLimits {
  std::size_t header_max_bytes = 16 * 1024;
  std::size_t body_max_bytes = 64 * 1024;
  net::ConnectTimeouts connect;
};

struct Header {
  std::string name;  ///< lower case
  std::string value;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;

  /// The first value of the field; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const Header& field : headers) {
      if (field.name == name) return field.value;
    }
    return {};
  }
};

/// `headers` go out besides Host, Accept and Connection; they hold no line break. Redirects are not
/// followed: the answer with its 3xx is the result.
/// Lifetime: `timers` and `tls` outlive the call; `tls` is needed for https only.
/// Errors:   Errc::timed_out at the deadline or by phase of connecting; Errc::unauthenticated for a
///           certificate that is not trusted; Errc::unavailable for the rest of the network;
///           Errc::corrupt for an answer that is malformed or too long.
/// Cancel:   throws operation_aborted.
[[nodiscard]] async::Task<base::Expected<Response>> get(async::Timers& timers, Url url,
                                                        const net::TlsContext* tls,
                                                        GetLimits limits, base::Deadline deadline,
                                                        std::vector<Header> headers = {});

}  // namespace notify::http1
