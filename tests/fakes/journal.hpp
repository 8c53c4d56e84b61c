#pragma once
// What happened in the world, in the order in which it took effect there: for checks that look at a
// whole run.

#include <vector>

#include "base/clock.hpp"
#include "rules/notification.hpp"
#include "rules/outcome.hpp"

namespace notify::fakes {

struct Journal {
  enum class Kind : std::uint8_t {
    entered,    ///< the queue
    leased,     ///< `is_suspect` tells how
    postponed,  ///< back into the queue, by who had it
    put_back,   ///< the same, by recovery
    epoch,      ///< a new one begins
    sent,       ///< reached the push service
    recorded,   ///< an attempt, in the ledger
    kept_up,    ///< the elected node did something in the ledger
  };
  struct Entry {
    Kind kind{};
    int node = 0;
    base::NotificationId notification;
    base::DeviceId device;
    base::WallTime at;  ///< by the clock of the world
    bool is_suspect = false;
    rules::AttemptStatus status{};  ///< of what was recorded
    std::int64_t token = 0;         ///< of who kept up
    bool owns = false;              ///< whether the lease of what was sent was its sender's
  };

  explicit Journal(const base::Clock& world) : clock(world) {}
  void add(Entry entry) {
    entry.at = clock.now();
    entries.push_back(entry);
  }

  const base::Clock& clock;
  std::vector<Entry> entries;
};

}  // namespace notify::fakes
