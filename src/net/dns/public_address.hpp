#pragma once
// Tells addresses of the public internet from all others. A host that a user names can have any
// address: one of this machine, of the cluster, of the cloud's metadata server.
// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates).

#include <boost/asio/ip/address.hpp>

namespace notify::net {

/// False for unspecified, loopback, private, link-local, shared (100.64/10), multicast, reserved
/// and documentation addresses, and for IPv6 forms that hold an IPv4 address (mapped, 6to4, Teredo,
/// NAT64).
[[nodiscard]] bool is_public(const boost::asio::ip::address& address);

}  // namespace notify::net
