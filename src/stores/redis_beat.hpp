#pragma once
// The answers to a heartbeat, and their meaning for a worker (kBeat in
// redis_lease_scripts.hpp).

#include <chrono>
#include <optional>

#include "storage/redis/reply.hpp"
#include "stores/queue.hpp"
#include "stores/redis_standing.hpp"

namespace notify::stores {

/// The answer for one book.
struct Beat {
  RedisStanding::InBook standing;
  std::chrono::milliseconds age{0};
  bool whole = false;
  base::WallTime server_time;
  std::optional<base::WallTime> lost_since;
  std::optional<Rebuilt> rebuilt;
};

/// Errors: corrupt: it is not such an answer; others: the server's.
[[nodiscard]] base::Expected<Beat> to_beat(const redis::Reply& reply);

/// A time in milliseconds; unset if it is nil or empty.
[[nodiscard]] base::Expected<std::optional<base::WallTime>> to_time(const redis::Reply& reply);

/// The pulse of a worker is that of its worst book: in a cluster each may have an epoch of its own.
class WorstBeat {
 public:
  void add(const Beat& beat, std::chrono::milliseconds young_for);
  void tell(Pulse& pulse) const;

 private:
  bool is_young_ = false;
  bool is_gappy_ = false;
  std::optional<base::WallTime> lost_since_;
  std::optional<Rebuilt> rebuilt_;
};

}  // namespace notify::stores
