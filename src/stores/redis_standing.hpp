#pragma once
// How a worker stands in the queue's books, as its last heartbeat has seen it. RedisLeases writes
// it; whatever acts in the queue shows it, and a script refuses what no longer holds.

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "storage/redis/client.hpp"

namespace notify::stores {

/// Threading: one executor.
struct RedisStanding {
  struct InBook {
    std::string epoch;  ///< its id; empty: no heartbeat has been there yet
    std::string term;

    friend bool operator==(const InBook&, const InBook&) = default;
  };
  std::vector<InBook> books;  ///< as QueueBooks::all()
  /// How far the server's clock is ahead of ours, to within a round trip.
  std::chrono::milliseconds server_ahead{0};
  std::uint64_t doubts_at_heartbeat = std::numeric_limits<std::uint64_t>::max();

  /// Grows whenever the server may be another one than before: with each connection, and with each
  /// answer that says that it is not the primary.
  [[nodiscard]] static std::uint64_t doubts(const redis::Client& client) {
    const redis::ClientCounters counters = client.counters();
    return counters.connects + counters.not_primary;
  }
  /// Whether the last heartbeat has seen the server that there is now. A server that restarts or is
  /// replaced drops its connections, so until then it may be another one.
  [[nodiscard]] bool holds_for(const redis::Client& client) const {
    return client.connected() > 0 && doubts(client) == doubts_at_heartbeat;
  }
};

}  // namespace notify::stores
