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
#include "stores/redis_standing.hpp"

namespace notify::stores {

/// Threading: the executor of `timers`.
/// Lifetime:  `redis`, `timers`, `books` and `standing` outlive this; stop() completes before
/// destruction.
class RedisQueue final : public Queue {
 public:
  struct Options {
    std::size_t batch_max = 256;
    std::size_t waiting_max = 20'000;
    std::chrono::milliseconds batch_interval{2};
    std::chrono::milliseconds timeout{2000};
    /// A priority whose items have waited longer than this is served like the highest.
    std::chrono::milliseconds age_bound{30'000};
    /// Called for an item that cannot be read. It is put aside for a newer version, and recovery
    /// brings it back from PostgreSQL.
    std::function<void(const base::Error&)> on_unreadable_item;
  };

  RedisQueue(redis::Client& redis, async::Timers& timers, const QueueBooks& books,
             const RedisStanding& standing, Options options, const async::OnEscape& on_escape);

  [[nodiscard]] async::Task<std::vector<base::Expected<async::Unit>>> enqueue(
      std::vector<QueueItem> items) override {
    return enqueues_.submit(std::move(items), {});
  }
  [[nodiscard]] async::Task<base::Expected<std::vector<Lease>>> lease(
      std::size_t max, base::Deadline deadline) override;
  [[nodiscard]] async::Task<base::Expected<void>> ack(LeaseKey key) override;
  [[nodiscard]] async::Task<base::Expected<void>> postpone(LeaseKey key,
                                                           base::WallTime due_at) override;

  struct Depths {
    std::array<std::size_t, 3> items{};  ///< by priority; leases are not among them
    std::size_t unreadable = 0;          ///< put aside for a newer version
  };
  [[nodiscard]] async::Task<base::Expected<Depths>> depths(base::Deadline deadline);

  /// Sends what waits; refuses what comes after.
  [[nodiscard]] async::Task<void> stop();

 private:
  using Results = std::vector<base::Expected<async::Unit>>;

  async::Task<Results> enqueue_batch(std::vector<QueueItem> batch);
  async::Task<Results> ack_batch(std::vector<LeaseKey> batch);
  struct Share;
  struct Round;
  [[nodiscard]] std::vector<Share> shares(std::size_t max);
  async::Task<base::Expected<std::vector<Lease>>> lease_round(std::size_t max,
                                                              base::Deadline deadline);
  async::Task<void> lease_share(Share& share, Round& round);
  async::Task<base::Expected<std::vector<Lease>>> lease_from(Share& share, base::Deadline deadline);
  async::Task<void> put_aside(const QueueBook& book, std::string field);
  void leave_unread(const QueueBook& book, std::string_view member, const base::Error& error);
  [[nodiscard]] bool is_known() const { return standing_.holds_for(redis_); }

  redis::Client& redis_;
  async::Timers& timers_;
  const QueueBooks& books_;
  const RedisStanding& standing_;
  Options options_;
  async::Batcher<QueueItem, async::Unit> enqueues_;
  async::Batcher<LeaseKey, async::Unit> acks_;
  std::array<LeaseDemand, 3> demand_{};  ///< by priority: what the last round has shown
  std::size_t turn_ = 0;
  async::TaskGroup leases_;
  async::TaskGroup repairs_;
};

}  // namespace notify::stores
