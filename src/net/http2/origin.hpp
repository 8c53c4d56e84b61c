#pragma once
// The address of a service, as a URL writes it: `https://api.push.apple.com:2197`.

#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "net/tls/transport.hpp"

namespace notify::http2 {

struct Origin {
  std::string scheme;     ///< https, or http for HTTP/2 without TLS (prior knowledge)
  std::string authority;  ///< host[:port] as it was written, for `:authority`
  net::Endpoint endpoint;
};

/// Errors: Errc::invalid unless it is scheme, host and perhaps a port, with nothing after them.
/// Source: RFC 6454 §6.2 for the form; an IPv6 address stands in brackets (RFC 3986 §3.2.2).
[[nodiscard]] base::Expected<Origin> parse_origin(std::string_view text);

}  // namespace notify::http2
