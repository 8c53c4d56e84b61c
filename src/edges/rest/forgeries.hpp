#pragma once
// Signatures that turned out wrong, counted by address: a check costs as much as a delivery, on the
// thread that delivers, and anybody can ask for one. An address that had too many of them checked
// waits until its minute is over.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "stores/local_limits.hpp"

namespace notify::edges::rest {

/// Threading: one executor.
/// Limits:    20,000 addresses at a time; further ones are not counted.
class Forgeries {
 public:
  /// So many in a minute on one worker. Users who share an address share this too, but a client
  /// that follows the rules never sends a wrong signature.
  static constexpr std::int64_t kMax = 30;

  /// How long the address has to wait for another check; nullopt: it need not.
  [[nodiscard]] std::optional<std::chrono::milliseconds> wait(std::string_view address,
                                                              base::SteadyTime now);
  void add(std::string_view address, base::SteadyTime now);

 private:
  stores::LocalLimits counters_{20'000};
};

/// The addresses that one attacker has: an IPv4 address, or the /64 that an IPv6 address is in. A
/// text that is no address stands for itself.
[[nodiscard]] std::string network_of(std::string_view address);

}  // namespace notify::edges::rest
