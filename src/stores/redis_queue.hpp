#pragma once
// The queue in Redis. For each priority, with `q` = notification:queue:{priority}:
//
//   q                      sorted set   member: canonical JSON; score: due in ms * 4 + priority
//   {q}:inflight:<node>    hash         id → member, for what that node has leased
//   {q}:suspect            set          ids that are not on their first, clean try
//
// The companions use the queue's key as their hash tag, so a script finds all of them in one slot,
// also in a cluster. Besides:
//
//   notification:nodes             sorted set   node → last heartbeat in ms
//   notification:node:<node>       string       lives as long as its heartbeat

#include <array>
#include <string>

#include "base/async/batcher.hpp"
#include "base/async/timers.hpp"
#include "storage/redis/client.hpp"
#include "stores/lease_shares.hpp"
#include "stores/queue.hpp"

namespace notify::stores {

/// Redis's name for a queue: `notification:queue:high`.
[[nodiscard]] std::string queue_key(rules::Priority priority);

/// Orders by the time due, then by priority; exact in a double until the year 2255.
[[nodiscard]] std::int64_t queue_score(base::WallTime due_at, rules::Priority priority);

/// Threading: the executor of `timers`.
/// Lifetime:  `redis` and `timers` outlive this; stop() completes before destruction.
class RedisQueue final : public Queue, public Leases {
 public:
  struct Options {
    /// This worker's incarnation: a name that no other worker, and no earlier start, has.
    std::string node;
    std::size_t batch_max = 256;
    std::size_t waiting_max = 20'000;
    std::chrono::milliseconds batch_interval{2};
    std::chrono::milliseconds timeout{2000};
    /// Called for an item that cannot be read; recovery brings it back from PostgreSQL.
    std::function<void(const base::Error&)> on_corrupt_item;
  };

  RedisQueue(redis::Client& redis, async::Timers& timers, Options options,
             const async::OnEscape& on_escape);

  [[nodiscard]] async::Task<std::vector<base::Expected<async::Unit>>> enqueue(
      std::vector<QueueItem> items) override {
    return enqueues_.submit(std::move(items), {});
  }
  [[nodiscard]] async::Task<base::Expected<std::vector<Lease>>> lease(
      std::size_t max, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> ack(LeaseKey key) override;
  [[nodiscard]] async::Task<base::Expected<void>> postpone(LeaseKey key,
                                                           base::WallTime due_at) override;

  [[nodiscard]] async::Task<base::Expected<Registration>> heartbeat(
      std::chrono::milliseconds ttl, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> sign_off(base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> take_over_dead(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::vector<LeaseKey>>> mine(
      base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> give_back(LeaseKey key,
                                                            base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<std::size_t>> readmit(std::vector<QueueItem> items,
                                                                 base::Deadline deadline) override;

  /// How many items each queue holds, by priority; leases are not among them.
  [[nodiscard]] async::Task<base::Expected<std::array<std::size_t, 3>>> depths(
      base::Deadline deadline);

  /// Sends what waits; refuses what comes after.
  [[nodiscard]] async::Task<void> stop();

 private:
  using Results = std::vector<base::Expected<async::Unit>>;

  /// The keys of one priority.
  struct Keys {
    std::string queue;
    std::string inflight;
    std::string suspect;
  };
  [[nodiscard]] const Keys& keys(rules::Priority priority) const {
    return keys_[static_cast<std::size_t>(priority)];
  }

  async::Task<Results> enqueue_batch(std::vector<QueueItem> batch);
  async::Task<Results> ack_batch(std::vector<LeaseKey> batch);
  struct Share;
  async::Task<base::Expected<std::vector<Lease>>> lease_round(std::size_t max,
                                                              base::Deadline deadline);
  async::Task<void> lease_share(Share& share, base::Deadline deadline);
  async::Task<base::Expected<std::vector<Lease>>> lease_from(rules::Priority priority,
                                                             std::size_t max,
                                                             base::Deadline deadline);
  async::Task<base::Expected<std::size_t>> empty_leases_of(std::string node,
                                                           base::Deadline deadline);
  async::Task<base::Expected<std::vector<std::string>>> nodes(base::Deadline deadline);
  async::Task<void> forget(std::string inflight_key, std::string field);
  void drop_corrupt(rules::Priority priority, std::string_view member, const base::Error& error);

  redis::Client& redis_;
  async::Timers& timers_;
  Options options_;
  std::array<Keys, 3> keys_;
  async::Batcher<QueueItem, async::Unit> enqueues_;
  async::Batcher<LeaseKey, async::Unit> acks_;
  std::array<bool, 3> hungry_{};  ///< by priority: gave all that was asked for the last time
  std::size_t turn_ = 0;
  async::TaskGroup leases_;
  async::TaskGroup repairs_;
};

}  // namespace notify::stores
