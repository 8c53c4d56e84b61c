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

/// The address of a peer as gRPC writes it, `10.0.0.7` or `::1`; empty for a unix socket.
[[nodiscard]] std::string ip_of_peer(std::string_view peer);

/// The URI in the last element of an `x-forwarded-client-cert`, which the proxy next to us has
/// added; those before it are what others said (Envoy, HTTP header manipulation).
[[nodiscard]] std::optional<std::string> forwarded_uri(std::string_view header);

}  // namespace notify::edges
