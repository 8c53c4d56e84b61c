#pragma once
// Who calls: the SPIFFE id of its certificate, which gRPC has checked, or a proxy in front of us.

#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "flows/accept.hpp"

namespace notify::edges {

/// What proves it.
enum class CallerProof : std::uint8_t {
  none,         ///< nothing: only the address is known
  certificate,  ///< the caller's own, on this connection
  /// `x-forwarded-client-cert`, of a proxy that ends TLS for us. Nobody else may reach the port.
  forwarded,
};

/// Callers are told apart by their identity, without one by the host they call from.
/// Errors: unauthenticated: there should be a SPIFFE id, and is none.
[[nodiscard]] base::Expected<flows::Caller> caller_of(const grpc::ServerContext& context,
                                                      CallerProof proof);

/// Who is recorded in the audit.
struct Actor {
  std::string name;
  std::string origin;
};
/// `named`: who did it, as the caller says, for whom it does it. A caller that has proven who it is
/// cannot call itself anybody else.
[[nodiscard]] Actor actor_of(const flows::Caller& caller, const std::string& named);

/// The address of a host as gRPC writes it in a peer, `ipv4:10.0.0.7` or, as in a URI,
/// `ipv6:%5B::1%5D`; empty for a unix socket.
[[nodiscard]] std::string ip_of_host(std::string_view host);

/// The URI in the last element of an `x-forwarded-client-cert`, which the proxy next to us has
/// added; those before it are what others said (Envoy, HTTP header manipulation). Unset: it has
/// none, or several, or what is before it makes it unclear where it begins.
[[nodiscard]] std::optional<std::string> forwarded_uri(std::string_view header);

}  // namespace notify::edges
