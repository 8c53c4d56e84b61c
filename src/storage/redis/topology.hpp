#pragma once
// The seam between "which node" and "how to talk to it": asked again before every connect, since
// the answer changes with a failover.

#include <cstdint>
#include <memory>
#include <optional>

#include "base/async/task.hpp"
#include "base/expected.hpp"
#include "storage/redis/address.hpp"
#include "storage/redis/url.hpp"

namespace notify::redis {

/// A single server answers from its URL. Sentinel asks its sentinels each time; Cluster answers
/// from its slot map: they are further implementations, and their client keeps a connection for
/// each address it is told.
/// Threading: one executor.
class Topology {
 public:
  virtual ~Topology() = default;

  /// The node that takes writes for `slot`; without one, for commands that have no key.
  /// Errors: Errc::unavailable if there is none now.
  [[nodiscard]] virtual async::Task<base::Expected<Address>> primary_of(
      std::optional<std::uint16_t> slot) = 0;
};

/// Errors: as check_supported().
[[nodiscard]] base::Expected<std::unique_ptr<Topology>> make_topology(const Url& url);

}  // namespace notify::redis
