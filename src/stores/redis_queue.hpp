#pragma once
// The queue in Redis, as accept and deliver use it. The keys are in redis_queue_keys.hpp, the
// scripts in redis_queue_scripts.hpp; who holds what, and what becomes of it, in redis_leases.hpp.

#include <array>
#include <string>

#include "base/async/batcher.hpp"
#include "base/async/timers.hpp"
#include "storage/redis/client.hpp"
#include "stores/lease_shares.hpp"
#include "stores/queue.hpp"
#include "stores/redis_queue_keys.hpp"

namespace notify::stores {

/// Threading: the executor of `timers`.
/// Lifetime:  `redis`, `timers` and `books` outlive this; stop() completes before destruction.
class RedisQueue final : public Queue {
 public:
  struct Options {
    std::size_t batch_max = 256;
    std::size_t waiting_max = 20'000;
    std::chrono::milliseconds batch_interval{2};
    std::chrono::milliseconds timeout{2000};
    /// A priority whose items have waited longer than this is served like the highest.
    std::chrono::milliseconds age_bound{30'000};
    /// How far the server's clock is ahead of ours.
    std::function<std::chrono::milliseconds()> server_ahead;
    /// Whether a heartbeat has seen the epoch on the connection that there is now.
    std::function<bool()> epoch_is_known;
    /// Called for an item that cannot be read; recovery brings it back from PostgreSQL.
    std::function<void(const base::Error&)> on_corrupt_item;
  };

  RedisQueue(redis::Client& redis, async::Timers& timers, const QueueBooks& books, Options options,
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

  /// How many items each queue holds, by priority; leases are not among them.
  [[nodiscard]] async::Task<base::Expected<std::array<std::size_t, 3>>> depths(
      base::Deadline deadline);

  /// Sends what waits; refuses what comes after.
  [[nodiscard]] async::Task<void> stop();

 private:
  using Results = std::vector<base::Expected<async::Unit>>;

  async::Task<Results> enqueue_batch(std::vector<QueueItem> batch);
  async::Task<base::Expected<void>> put_in(const QueueBook& book,
                                           const std::vector<const QueueItem*>& items,
                                           base::WallTime latest);
  async::Task<Results> ack_batch(std::vector<LeaseKey> batch);
  struct Share;
  struct Round;
  [[nodiscard]] std::vector<Share> shares(std::size_t max);
  async::Task<base::Expected<std::vector<Lease>>> lease_round(std::size_t max,
                                                              base::Deadline deadline);
  async::Task<void> lease_share(Share& share, Round& round);
  async::Task<base::Expected<std::vector<Lease>>> lease_from(Share& share, base::Deadline deadline);
  async::Task<void> forget(const QueueBook& book, std::string field);
  void drop_corrupt(const QueueBook& book, std::string_view member, const base::Error& error);
  [[nodiscard]] bool epoch_is_known() const {
    return !options_.epoch_is_known || options_.epoch_is_known();
  }

  redis::Client& redis_;
  async::Timers& timers_;
  const QueueBooks& books_;
  Options options_;
  async::Batcher<QueueItem, async::Unit> enqueues_;
  async::Batcher<LeaseKey, async::Unit> acks_;
  std::array<LeaseDemand, 3> demand_{};  ///< by priority: what the last round has shown
  std::size_t turn_ = 0;
  async::TaskGroup leases_;
  async::TaskGroup repairs_;
};

}  // namespace notify::stores
