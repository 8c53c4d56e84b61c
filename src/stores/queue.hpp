#pragma once
// The queue: what is due within the hour, in three priorities, leased by any node, at least once.
// Redis is its home and PostgreSQL its truth: losing it costs time, never a notification.

#include <string>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "rules/notification.hpp"

namespace notify::stores {

/// Only what is due this soon is put into the queue (decision D-11).
inline constexpr std::chrono::hours kQueueHorizon{1};

struct QueueItem {
  rules::Notification notification;
  base::WallTime due_at;
};

struct Lease {
  rules::Notification notification;
  /// It is not on its first, clean try: what was done already stands in the ledger.
  bool suspect = false;
};

/// Which item, for acks and postponements.
struct LeaseKey {
  rules::Priority priority = rules::Priority::medium;
  base::NotificationId notification;
};

/// Threading: one executor.
/// Errors:    unavailable, timed_out: the effect may have happened; doing it again is harmless.
class Queue {
 public:
  virtual ~Queue() = default;

  /// Putting an item in that is there changes nothing. Concurrent calls share a round trip. One
  /// result for each item, in order.
  [[nodiscard]] virtual async::Task<std::vector<base::Expected<async::Unit>>> enqueue(
      std::vector<QueueItem> items) = 0;

  /// Takes up to `max` items that are due, for this node.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<Lease>>> lease(
      std::size_t max, base::Deadline deadline) = 0;

  /// The item is done with. Concurrent calls share a round trip.
  [[nodiscard]] virtual async::Task<base::Expected<void>> ack(LeaseKey key) = 0;

  /// Back into the queue, due at `due_at`, as a suspect.
  [[nodiscard]] virtual async::Task<base::Expected<void>> postpone(LeaseKey key,
                                                                   base::WallTime due_at) = 0;
};

/// Whether a heartbeat found this node on the register. A node that was on it and is not any more
/// has met a queue that lost its data.
enum class Registration : std::uint8_t { found = 1, made_anew };

/// Who holds leases, and what becomes of the leases of those who died.
class Leases {
 public:
  virtual ~Leases() = default;

  /// Says that this node lives, for `ttl`.
  [[nodiscard]] virtual async::Task<base::Expected<Registration>> heartbeat(
      std::chrono::milliseconds ttl, base::Deadline deadline) = 0;
  /// Puts what this node still holds back into the queue, and takes it off the register.
  [[nodiscard]] virtual async::Task<base::Expected<void>> sign_off(base::Deadline deadline) = 0;

  /// Puts the leases of every node whose heartbeat has run out back into the queue, as suspects.
  /// Returns how many.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> take_over_dead(
      base::Deadline deadline) = 0;

  /// What the queue's books say this node holds.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<LeaseKey>>> mine(
      base::Deadline deadline) = 0;

  /// Puts one of them back into the queue, due now, as a suspect.
  [[nodiscard]] virtual async::Task<base::Expected<void>> give_back(LeaseKey key,
                                                                    base::Deadline deadline) = 0;

  /// Puts items of the ledger into the queue, as suspects, unless they are queued or leased.
  /// Returns how many went in.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> readmit(
      std::vector<QueueItem> items, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
