#pragma once
// The queue's keys in Redis. A priority's queue is divided into `shards` by user, mostly one; each
// is a book of keys that share a hash tag, so that a script finds all of them in one slot, also in
// a cluster. With `q` = notification:queue:{priority}, and :{shard} after it for all but the first:
//
//   q                      sorted set   member: canonical JSON; score: due in ms * 4 + priority
//   {q}:ids                set          the ids of what stands in q, in {q}:aside:<user>, and of
//                                       what only a newer version can read: an item is its id
//   {q}:inflight:<node>    hash         id → member, for what that node has leased
//   {q}:suspect            set          ids that are not on their first, clean try
//   {q}:users              hash         user → count:node, while a node has leased items of theirs
//   {q}:aside              set          users who have items in {q}:aside:<user>
//   {q}:aside:<user>       sorted set   as q: due, but more than the user may have leased
//   {q}:unreadable         sorted set   member: as in q; score: the version that cannot read it
//   {q}:nodes              hash         node → term:until: who may lease, and until when (ms)
//   {q}:old                sorted set   what stood in q when an epoch began
//   {q}:epoch              hash         id, run and replid (of the server), since, beat, lost (ms),
//                                       whole, rebuilt_until, rebuilt_down_to (ms)
//
// Each heartbeat renews the lifetime of all of them in one step, and of the epoch nothing else
// does: so no book is called whole after one of its keys has expired.
//
// Besides:
//
//   notification:nodes             sorted set   node → last heartbeat in ms; for people
//   notification:maintainer        string       the elected node; lives as long as its heartbeat
//   notification:swept             string       ms up to which the ledger has been swept

#include <string>
#include <string_view>
#include <vector>

#include "stores/queue.hpp"

namespace notify::stores {

inline constexpr std::string_view kNodesKey = "notification:nodes";
inline constexpr std::string_view kMaintainerKey = "notification:maintainer";
inline constexpr std::string_view kSweptKey = "notification:swept";
inline constexpr std::int64_t kQueueTtlSeconds = 24 * 3600;  // SPEC §4, renewed by each enqueue

/// Redis's name for a queue: `notification:queue:high`.
[[nodiscard]] std::string queue_key(rules::Priority priority, std::uint16_t shard = 0);

/// Orders by the time due, then by priority; exact in a double until the year 2255.
[[nodiscard]] std::int64_t queue_score(base::WallTime due_at, rules::Priority priority);

/// The keys of one shard of one priority.
struct QueueBook {
  rules::Priority priority;
  std::uint16_t shard;
  std::size_t index;  ///< in QueueBooks::all()
  std::string queue;
  std::string mine;  ///< inflight of this node
  std::string ids;
  std::string suspect;
  std::string users;
  std::string aside;
  std::string unreadable;
  std::string nodes;
  std::string old;
  std::string epoch;

  [[nodiscard]] std::string inflight(std::string_view node) const {
    return "{" + queue + "}:inflight:" + std::string(node);
  }
};

/// All books of a worker.
/// Threading: immutable.
class QueueBooks {
 public:
  QueueBooks(std::string node, std::uint16_t shards);

  [[nodiscard]] const std::string& node() const { return node_; }
  [[nodiscard]] std::uint16_t shards() const { return shards_; }
  /// By priority, then by shard.
  [[nodiscard]] const std::vector<QueueBook>& all() const { return books_; }
  [[nodiscard]] const QueueBook& at(rules::Priority priority, std::uint16_t shard) const {
    return books_.at(static_cast<std::size_t>(priority) * shards_ + shard);
  }
  [[nodiscard]] const QueueBook& of(const rules::Notification& n) const {
    return at(n.priority, shard_of(n.user, shards_));
  }

 private:
  std::string node_;
  std::uint16_t shards_;
  std::vector<QueueBook> books_;
};

}  // namespace notify::stores
