#pragma once
// The queue: what is due within the hour, in three priorities, leased by any node, at least once.
// Redis is its home and PostgreSQL its truth: losing it costs time, never a notification.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/async/one_shot.hpp"
#include "base/async/task.hpp"
#include "base/deadline.hpp"
#include "base/expected.hpp"
#include "rules/notification.hpp"

namespace notify::stores {

/// Only what is due this soon is put into the queue (decision D-11).
inline constexpr std::chrono::hours kQueueHorizon{1};

/// An item goes into the queue within so much of its creation, or is left to recovery, which leaves
/// everything younger than kRecoverAfter alone: so the two never meet, whatever was slow on the way
/// in. What is between them is room for clocks that differ by two seconds each (D-5).
inline constexpr std::chrono::milliseconds kEnqueueWithin{3'000};
inline constexpr std::chrono::milliseconds kRecoverAfter{7'000};

/// Items of one user and priority that a node has leased at once, at most: one user must not fill
/// it.
inline constexpr std::size_t kUserLeasesMax = 32;

/// In which of a priority's shards a user's items are; the same on every node. The last bytes of a
/// UUID are random in every version that user-service may use.
[[nodiscard]] inline std::uint16_t shard_of(base::UserId user, std::uint16_t shards) {
  const auto& bytes = user.uuid().bytes();
  return static_cast<std::uint16_t>((bytes[14] * 256U + bytes[15]) % shards);
}

struct QueueItem {
  rules::Notification notification;
  /// When it was created: at once. Such items are ordered by when they reach the queue, whatever
  /// the clocks of the nodes that accepted them say.
  base::WallTime due_at;
};

/// Which item, for acks and postponements.
struct LeaseKey {
  rules::Priority priority = rules::Priority::medium;
  base::NotificationId notification;
  std::uint16_t shard = 0;  ///< of its priority's queue
};

struct Lease {
  rules::Notification notification;
  /// It is not on its first, clean try: what was done already stands in the ledger.
  bool suspect = false;
  std::uint16_t shard = 0;

  [[nodiscard]] LeaseKey key() const { return {notification.priority, notification.id, shard}; }
};

/// Threading: one executor.
/// Errors:    unavailable, timed_out: the effect may have happened; doing it again is harmless.
class Queue {
 public:
  virtual ~Queue() = default;

  /// Puts in what has just been created. An item is known by its id: putting it in again changes
  /// nothing, whatever else of it differs. What may be older than this epoch goes in as a suspect:
  /// the queue may have lost that it was withdrawn. Concurrent calls share a round trip. One result
  /// for each item, in order. Errors: timed_out also for an item older than kEnqueueWithin: it was
  /// not put in.
  [[nodiscard]] virtual async::Task<std::vector<base::Expected<async::Unit>>> enqueue(
      std::vector<QueueItem> items) = 0;

  /// Takes up to `max` items that are due, for this node; those of one priority in the order in
  /// which they came due. While a node holds items of a user, no other node gets more of them from
  /// the same queue: so a user's notifications keep their order.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<Lease>>> lease(
      std::size_t max, base::Deadline deadline) = 0;

  /// The item is done with. Concurrent calls share a round trip.
  [[nodiscard]] virtual async::Task<base::Expected<void>> ack(LeaseKey key) = 0;

  /// Back into the queue, due at `due_at`, as a suspect.
  [[nodiscard]] virtual async::Task<base::Expected<void>> postpone(LeaseKey key,
                                                                   base::WallTime due_at) = 0;
};

/// How far the queue is to be trusted. An epoch is a time in which it has lost nothing: a new one
/// begins when its server restarts, is replaced by a replica, or is emptied.
enum class Epoch : std::uint8_t {
  young,  ///< not every node that lives can know of it yet: nothing may be put back
  gappy,  ///< what it has lost has not been put back yet
  whole,
};

/// How far a rebuild has come: what was made between the two has been compared with the queue.
struct Rebuilt {
  base::WallTime until;
  base::WallTime down_to;

  friend bool operator==(const Rebuilt&, const Rebuilt&) = default;
};

/// What a node learns from its heartbeat.
struct Pulse {
  std::uint64_t epoch_number = 0;  ///< this node's own count of the epochs it has seen, from 1
  Epoch epoch = Epoch::young;
  bool leads = false;  ///< it was elected to recover for all, until its heartbeat runs out
  std::optional<base::WallTime> swept_until;  ///< as Repairs::swept_until()
  /// This node's own count of its terms, from 1. A term ends when others could take over what was
  /// leased in it. A new epoch ends none: what is leased is claimed in it.
  std::uint64_t term = 0;
  /// Until the epoch is whole: the queue has lost nothing of before this time. Unset: maybe all.
  std::optional<base::WallTime> lost_since;
  std::optional<Rebuilt> rebuilt;  ///< in this epoch
};

/// What a node says of itself with a heartbeat.
struct LifeSign {
  std::chrono::milliseconds lives_for;
  bool may_lead = true;  ///< false: leaves the office to the others
};

/// This node's leases, and the life sign that keeps them its own.
class Leases {
 public:
  virtual ~Leases() = default;

  /// Says that this node lives. In a new epoch, what stood in the queue is put aside for salvage();
  /// until a heartbeat has seen the epoch, the node gets no leases. Nor does it get any, or may
  /// claim, when its time has run out: the next heartbeat begins a new term.
  [[nodiscard]] virtual async::Task<base::Expected<Pulse>> heartbeat(LifeSign sign,
                                                                     base::Deadline deadline) = 0;
  /// Enters into the books of a new epoch what this node is working on.
  /// Errors: conflict: the epoch is not young any more, or this node's term is over. What it holds
  ///         may be somebody else's.
  [[nodiscard]] virtual async::Task<base::Expected<void>> claim(std::vector<Lease> held,
                                                                base::Deadline deadline) = 0;

  /// The leases of this node by the books.
  [[nodiscard]] virtual async::Task<base::Expected<std::vector<LeaseKey>>> mine(
      base::Deadline deadline) = 0;
  /// Puts one of them back into the queue as a suspect, due since it was created, so that it is
  /// before what its user got since.
  [[nodiscard]] virtual async::Task<base::Expected<void>> give_back(LeaseKey key,
                                                                    base::Deadline deadline) = 0;

  /// Puts what this node still holds back into the queue, and takes it off the register.
  [[nodiscard]] virtual async::Task<base::Expected<void>> sign_off(base::Deadline deadline) = 0;
};

/// Nodes do this for each other, and the elected one for all. Doing it twice, or two nodes doing
/// it, is harmless. Errors: unavailable also if the server may be another one since the last
/// heartbeat: nothing was done then that it could be wrong about.
class Repairs {
 public:
  virtual ~Repairs() = default;

  /// Puts the leases of every node whose heartbeat has run out back into the queue, as give_back()
  /// does. Returns how many.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> take_over_dead(
      base::Deadline deadline) = 0;

  /// Puts what older epochs left in the queue back into it, as suspects, unless it is leased.
  /// Returns how many went in.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> salvage(
      base::Deadline deadline) = 0;

  /// Puts items of the ledger into the queue, as suspects, unless they are queued or leased.
  /// Returns how many went in.
  [[nodiscard]] virtual async::Task<base::Expected<std::size_t>> readmit(
      std::vector<QueueItem> items, base::Deadline deadline) = 0;

  /// From now on, whoever leases this item reads its record first: it is made a suspect. If it is
  /// young enough to be on its way into the queue, it is put there, due when it can no more come in
  /// otherwise. Returns whether anybody has it leased, who may act on what was read before.
  [[nodiscard]] virtual async::Task<base::Expected<bool>> withdraw(rules::Notification notification,
                                                                   base::Deadline deadline) = 0;

  /// The epoch of this number is whole now. If it is an older one, this changes nothing.
  [[nodiscard]] virtual async::Task<base::Expected<void>> set_whole(std::uint64_t epoch_number,
                                                                    base::Deadline deadline) = 0;

  /// How far the queue is rebuilt in the epoch of this number, for the next node that is elected.
  [[nodiscard]] virtual async::Task<base::Expected<void>> set_rebuilt(std::uint64_t epoch_number,
                                                                      Rebuilt rebuilt,
                                                                      base::Deadline deadline) = 0;

  /// Up to when the ledger has been compared with the queue; unset: never. It is kept with the
  /// queue, and so lost with it.
  [[nodiscard]] virtual async::Task<base::Expected<std::optional<base::WallTime>>> swept_until(
      base::Deadline deadline) = 0;
  [[nodiscard]] virtual async::Task<base::Expected<void>> set_swept_until(
      base::WallTime until, base::Deadline deadline) = 0;
};

}  // namespace notify::stores
